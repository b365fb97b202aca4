/* SPDX-License-Identifier: MIT */
/*
 * One HTTP/2 session against frames written by hand: what the other end sends
 * is said octet by octet, what the session sends is read frame by frame, and
 * the owner's events become a line of text.
 */
#pragma once

#include "tests/unit/unit.h"

#include <nghttp2/nghttp2.h>

#include "common/base/buf.h"
#include "common/net/http2_session.h"

#define PEER_SEC UINT64_C(1000000000)

struct peer_frame {
	size_t at, len;		/* of its payload, in all */
	uint8_t type, flags;
	uint32_t id;
};

struct peer {
	struct wk_session *session;
	struct wk_session_handler handler;
	struct wk_buf log;		/* events, "; " between them */
	struct wk_buf sent;		/* what the session has sent */
	struct wk_buf traced;
	size_t parsed, looked;		/* of sent; frames looked at */
	struct peer_frame frames[16384];
	size_t n_frames;
	nghttp2_hd_deflater *deflater;
	nghttp2_hd_inflater *inflater;
	uint64_t now_ns;
	int status;			/* of the last receive */
	struct wk_error error;
	struct wk_stream *s;		/* the last one that began */
	bool is_deaf;			/* its output is not fetched */
	bool keeps;			/* consumes nothing */
	/* Server: instead of noting the request only. */
	void (*request)(struct peer *p, struct wk_stream *s,
	    const struct wk_message *m);
	void (*on_data)(struct peer *p, struct wk_stream *s);
	void (*on_writable)(struct peer *p, struct wk_stream *s);
	void (*on_closed)(struct peer *p);
	unsigned in_verb;
};

/* The session is the server's or the client's; the peer is the other. */
struct peer *peer_new(bool is_server, const struct wk_session_limits *limits);
void peer_del(struct peer *p);

/* The preface and first SETTINGS of the peer: "id=value" pairs, 0 ends. */
void peer_greet(struct peer *p, const uint32_t *settings, size_t n);

/* Octets to the session, then its output is fetched. */
void peer_send(struct peer *p, const void *octets, size_t len);
void peer_frame(struct peer *p, uint8_t type, uint8_t flags, uint32_t id,
    const void *payload, size_t len);
void peer_u32(struct peer *p, uint8_t type, uint32_t id, uint32_t value);

/*
 * A field section from lines "name: value\n", compressed; END_HEADERS is set
 * unless flags has 0x80, which is taken out.
 */
void peer_head(struct peer *p, uint8_t flags, uint32_t id, const char *lines);

/* Fetch and parse output. */
void peer_fetch(struct peer *p);
void peer_pass(struct peer *p, uint64_t ns);

/* The next frame of that type not yet looked at, in order; fails if none. */
const struct peer_frame *peer_next(struct peer *p, uint8_t type);

/* The next one, NULL for none. */
const struct peer_frame *peer_find(struct peer *p, uint8_t type);
uint32_t peer_value(const struct peer *p, const struct peer_frame *f,
    size_t at);

/* Frames of that type that were sent in all. */
size_t peer_count(const struct peer *p, uint8_t type);

/* The lines of a HEADERS frame, for as long as nothing else is asked. */
const char *peer_lines(struct peer *p, const struct peer_frame *f);

void peer_expect(struct peer *p, const char *events);
void peer_expect_reset(struct peer *p, uint32_t id, uint32_t code);
void peer_expect_goaway(struct peer *p, uint32_t code);

/* The session's own request. */
struct wk_stream *peer_request(struct peer *p, const char *method,
    const char *protocol, bool has_body);
int peer_respond(struct peer *p, struct wk_stream *s, unsigned status,
    bool is_last);
extern const struct wk_stream_handler peer_handler;
