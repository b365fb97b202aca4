/* SPDX-License-Identifier: MIT */
/* What the two halves of a backend connection share (server.c, server_read.c). */
#pragma once

#include "cmd/mcproxy/engine.h"

/* Give the sub back; its request loses a reference. */
void sub_release(struct worker *w, struct sub *sub);
/* Answer with a line of ours; the sub stays queued. */
void sub_fail(struct worker *w, struct sub *sub, const char *text);
/* The first of the queue is through. */
void server_pop(struct server *s);
/* The connection is lost, or useless: everything queued on it fails. */
void server_fail(struct server *s, bool is_hung);
/* The probe was answered. */
void server_is_up(struct server *s);
/* Write at the end of this turn. */
void server_touch(struct server *s);
/* Close it if it is to go and nothing is queued any more. */
void server_drain(struct server *s);
