/* SPDX-License-Identifier: MIT */
/*
 * One HTTP/3 session against octets written by hand: the other end of its
 * transport is the test, which says what each stream carries octet by octet and
 * reads what the session has sent frame by frame. The owner's events become a
 * line of text.
 */
#pragma once

#include "tests/unit/unit.h"

#include "common/base/buf.h"
#include "common/net/http3_session.h"
#include "common/wire/h3frame.h"
#include "tests/unit/fake_transport.h"

#define PEER_SEC UINT64_C(1000000000)

struct peer {
	struct wk_session *session;
	struct wk_session_handler handler;
	struct fake ours;		/* the session's transport */
	struct fake theirs;		/* the test's end of it */
	uint64_t control;		/* the test's control stream */
	struct wk_buf log;		/* events, "; " between them */
	struct wk_buf traced;
	struct nghttp3_qpack_encoder *encoder;
	struct nghttp3_qpack_decoder *decoder;
	uint64_t now_ns;
	struct wk_error error;		/* of a verb */
	struct wk_stream *s;		/* the last one that began */
	size_t piece;			/* octets at once, both ways; 0: all */
	bool is_deaf;			/* it hears nothing */
	bool keeps;			/* consumes nothing */
	bool uses_capsules;		/* of each tunnel that opens */
	/* Server: instead of noting the request only. */
	void (*request)(struct peer *p, struct wk_stream *s,
	    const struct wk_message *m);
	void (*on_data)(struct peer *p, struct wk_stream *s);
	void (*on_closed)(struct peer *p);
	unsigned in_verb;
};

/*
 * The session is the server's or the client's; the peer is the other, which
 * has said nothing yet.
 */
struct peer *peer_new(bool is_server, const struct wk_session_limits *limits);
void peer_del(struct peer *p);

/* And one that has opened its control stream with these settings, in hex. */
struct peer *peer_greeted(bool is_server,
    const struct wk_session_limits *limits, const char *settings);

/* Let everything that waits arrive at the other end, both ways. */
void peer_run(struct peer *p);
void peer_pass(struct peer *p, uint64_t ns);

/* Open a stream of the peer's; a unidirectional one begins with hex. */
uint64_t peer_open(struct peer *p, bool is_uni, const char *hex);

/* Octets onto a stream, then run; finishes: with FIN. */
void peer_send(struct peer *p, uint64_t id, const void *octets, size_t len,
    bool finishes);
void peer_hex(struct peer *p, uint64_t id, const char *hex, bool finishes);
void peer_frame(struct peer *p, uint64_t id, uint64_t type,
    const void *payload, size_t len, bool finishes);

/* A HEADERS frame from lines "name: value\n". */
void peer_head(struct peer *p, uint64_t id, const char *lines, bool finishes);
void peer_reset(struct peer *p, uint64_t id, uint64_t code);
void peer_stop(struct peer *p, uint64_t id, uint64_t code);
void peer_datagram(struct peer *p, const char *hex);

/*
 * What the session has sent on a stream: "HEADERS(200) DATA(5) FIN", with
 * STOP(code) and RESET(code) behind it. Borrowed until the next call.
 */
const char *peer_heard(struct peer *p, uint64_t id);
void peer_expect_heard(struct peer *p, uint64_t id, const char *want);

/* The next datagram that the session has sent, in hex; "" for none. */
const char *peer_heard_datagram(struct peer *p);

void peer_expect(struct peer *p, const char *events);

/* The session has closed the connection with the code; 0: it has not. */
void peer_expect_close(struct peer *p, uint64_t code);

/* The session's own request. */
struct wk_stream *peer_request(struct peer *p, const char *method,
    const char *protocol, bool has_body);
int peer_respond(struct peer *p, struct wk_stream *s, unsigned status,
    bool is_last);
extern const struct wk_stream_handler peer_handler;

/* Deletes the session, from inside of an event too. */
void peer_delete(struct peer *p);
