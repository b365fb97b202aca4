/* SPDX-License-Identifier: MIT */
/*
 * Giving up what opening raw and capture sockets needed: the user becomes an
 * ordinary one, all capabilities go, and no later exec can bring them back.
 */
#pragma once

#include "common/base/error.h"

/*
 * Call once all sockets are open. As root: become user, or, for NULL, the one
 * who called sudo(8), or else nobody; where the system does not let us (a
 * container without CAP_SETUID) only a user that was asked for is an error. In
 * every case drop all capabilities (capabilities(7)) and set no_new_privs. WK_E_INVALID: no such user;
 * WK_E_SYSTEM: refused, error has the reason.
 */
int wk_privileges_drop(const char *user, struct wk_error *error);
