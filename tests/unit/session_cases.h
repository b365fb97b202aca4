/* SPDX-License-Identifier: MIT */
/*
 * What must be so in every version of HTTP. A test program sets link_version
 * and link_new_session, then runs these and its own.
 */
#pragma once

#include "tests/unit/session_link.h"

/* Run them all as a group; returns cmocka's result. */
int session_cases_run(const char *group);
