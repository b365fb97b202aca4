/* SPDX-License-Identifier: MIT */
/*
 * One end of HTTP/1.1 against octets: a server that answers by path, a client
 * that asks for one thing, and what either says and hears, to be compared.
 */
#pragma once

#include "tests/unit/session_link.h"

#include "common/net/http1_session.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_(path) "GET " path " HTTP/1.1\r\nHost: a\r\n"
#define POST_(path) "POST " path " HTTP/1.1\r\nHost: a\r\n"
#define UP "Connection: Upgrade\r\nUpgrade: connect-udp\r\n"
#define PAGE "HTTP/1.1 200 OK\ncontent-length: 2\n\nok"
#define LAST "HTTP/1.1 200 OK\nconnection: close\ncontent-length: 2\n\nok"
#define OPEN "HTTP/1.1 101 Switching Protocols\nconnection: Upgrade\n" \
	"upgrade: connect-udp\ncapsule-protocol: ?1\n\n"
#define NO "HTTP/1.1 403 Forbidden\nconnection: close\ncontent-length: 0\n\n"

#define R(status) "HTTP/1.1 " status " X\r\n"
#define R101 R("101") "Connection: Upgrade\r\nUpgrade: connect-udp\r\n"
#define CL(n) "Content-Length: " n "\r\n"
#define TE "Transfer-Encoding: chunked\r\n"

enum { STAYS = WK_SESSION_OPEN, ENDS = WK_SESSION_FINISH,
	CLOSES = WK_SESSION_CLOSE, BREAKS = WK_SESSION_ABORT };
enum http1_kind { KIND_GET, KIND_HEAD, KIND_POST, KIND_TUNNEL, KIND_CONNECT };

/* Answers by path. */
void http1_serve(struct side *side, const struct wk_message *m);

/* A link whose server (or client) is the test, cut into pieces; 0: whole. */
struct link *http1_raw_link(bool raw_server, size_t piece);

/* Text without what differs only between machines of another make. */
const char *http1_lines(const char *text, size_t len, char *out, size_t size);

/* All logs of an end. */
const char *http1_heard_by(struct link_end *end, char *out, size_t size);

/* The client's request. */
struct side *http1_ask(struct link *l, enum http1_kind kind);

/* A program of these tests, over HTTP/1.1. */
#define http1_run(name, tests) \
	(link_version = WK_HTTP_1_1, link_new_session = wk_http1_session_new, \
	cmocka_run_group_tests_name(name, tests, NULL, NULL))
