/* SPDX-License-Identifier: MIT */
/* What server.c offers to the floor above it, server_read.c. */
#pragma once

#include "cmd/mcproxy/engine.h"

/* The first of the queue is through. */
void server_pop(struct server *s);
/*
 * The connection is lost, or useless: everything queued on it fails. error is
 * one of the names of the log streams, which server_lose() tells them, too.
 */
void server_fail(struct server *s, const char *error, bool is_hung);
void server_lose(struct server *s, const char *error, bool is_hung);
/* The socket is connected, or not. */
void server_connected(struct server *s);
/* The probe was answered. */
void server_is_up(struct server *s);
/* Write at the end of this turn. */
void server_touch(struct server *s);
/* Close it if it is to go and nothing is queued any more. */
void server_drain(struct server *s);
