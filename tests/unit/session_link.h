/* SPDX-License-Identifier: MIT */
/*
 * A client's session against a server's over a simulated link: octets travel
 * in pieces of a chosen size, after a chosen delay, by an invented clock, and
 * the link can be cut. The same for every HTTP version: a test program says
 * which in link_new_session before it runs cases.
 *
 * A side is one exchange as one end sees it; it keeps a log of the events, in
 * which adjoining data are one entry, and checks what stream.h promises:
 * closed once and last, no event inside a verb, nothing after end but what the
 * other direction has. Verbs go through side_*() for that.
 */
#pragma once

#include "tests/unit/unit.h"

#include "common/base/buf.h"
#include "common/net/session.h"
#include "tests/unit/fake_transport.h"

/* The constructor of the version under test. */
extern struct wk_session *(*link_new_session)(bool is_server,
    const struct wk_session_limits *limits,
    const struct wk_session_handler *handler, void *arg, uint64_t now_ns);
/* Or this one, for a version that needs a transport. */
extern struct wk_session *(*link_new_over)(bool is_server,
    const struct wk_session_limits *limits,
    const struct wk_session_handler *handler, void *arg,
    struct wk_transport *transport, uint64_t now_ns);
extern enum wk_http_version link_version;

#define LINK_SIDES 64
#define LINK_SEC UINT64_C(1000000000)

struct link;
struct link_end;

struct side {
	struct link_end *end;
	struct wk_stream *s;		/* NULL once closed */
	struct wk_buf log;
	struct wk_buf data;		/* since the last other event */
	uint64_t n_data, n_unconsumed;
	unsigned status;		/* of the final response heard */
	bool is_open;			/* a tunnel that was opened */
	bool has_ended, is_closed;
	bool has_failed;		/* closed had an end */
	enum wk_stream_code code;
	/* Set by tests. */
	bool keeps;			/* consume nothing on its own */
	bool uses_capsules;		/* as soon as the tunnel is open */
	const char *send;		/* write this, when possible, ... */
	size_t send_len, send_at;
	bool finishes;			/* ... then finish */
	struct side *echo;		/* write what that one hears */
	void (*on_data)(struct side *side, const uint8_t *data, size_t len);
	void (*on_head)(struct side *side, const struct wk_message *m);
	void (*on_closed)(struct side *side);
};

/* One direction's octets, under way. */
struct link_pipe {
	struct wk_buf octets;		/* from at on */
	size_t at, n_arrived;		/* of them, those that have arrived */
	uint64_t arrival_ns;		/* of those that have not */
	bool has_end, is_clean;		/* behind the octets */
	uint64_t n_passed;
};

struct link_end {
	struct link *link;
	struct wk_session *session;
	struct link_pipe in;
	struct fake quic;		/* instead, if link_new_over is set */
	struct side sides[LINK_SIDES];
	size_t n_sides;
	unsigned n_draining;
	int status;			/* of the last receive that failed */
	struct wk_error error;
	bool has_closed;		/* its direction of the connection */
	bool has_stopped;		/* both: nothing is given to it */
	bool is_deaf;			/* set by tests: not read at all */
	bool is_mute;			/* set by tests: not sent at all */
	enum wk_session_fate fate;	/* when last looked at */
	unsigned in_verb;
};

struct link_options {
	struct wk_session_limits limits[2];	/* client's, server's */
	size_t piece;				/* octets at once; 0: all */
	uint64_t delay_ns;
	bool is_raw[2];		/* no session at that end, but the test itself */
	/* Server: a request has come. */
	void (*request)(struct side *side, const struct wk_message *m);
};

struct link {
	struct link_options options;
	struct link_end client, server;
	uint64_t now_ns;
};

/* Default limits, no delay, everything at once. */
void link_options_default(struct link_options *options,
    void (*request)(struct side *side, const struct wk_message *m));
struct link *link_new(const struct link_options *options);
void link_del(struct link *l);

/* Move octets and tell deadlines that are over, until nothing moves. */
void link_run(struct link *l);

/* Let time pass, in steps from one deadline to the next. */
void link_pass(struct link *l, uint64_t ns);

/* Octets that have arrived at either end. */
uint64_t link_passed(const struct link *l);

/* The link breaks: octets under way are lost, both hear of an unclean end. */
void link_cut(struct link *l);

/* For the test at a raw end: octets to the other, their end, and its answer. */
void link_feed(struct link *l, const void *data, size_t len);
void link_feed_end(struct link *l, bool is_clean);
const char *link_heard(struct link *l, size_t *len);	/* NUL behind them */

/* Open a stream; fails the test when that is refused. */
struct side *link_request(struct link *l, const struct wk_message *m,
    bool has_body);

/* What the side heard; side_expect() fails the test when it is not that. */
const char *side_log(struct side *side);
void side_expect(struct side *side, const char *want);

/* Verbs. */
int side_respond(struct side *side, unsigned status, const char *fields,
    bool is_last);
int side_inform(struct side *side, unsigned status, const char *fields);
void side_send(struct side *side, const char *data, size_t len, bool finishes);
ssize_t side_write(struct side *side, const void *data, size_t len);
int side_finish(struct side *side);
void side_consume(struct side *side, size_t octets);
void side_reset(struct side *side, enum wk_stream_code code,
    const char *reason);
enum wk_stream_sent side_datagram(struct side *side, const void *data,
    size_t len);
enum wk_stream_sent side_capsule(struct side *side, uint64_t type,
    const void *value, size_t len);

/*
 * A message from text; what it points to stays for the test's life. fields is
 * "name: value" in lines, or NULL.
 */
const struct wk_message *link_get(const char *path, const char *fields);
const struct wk_message *link_post(const char *path, const char *fields);
const struct wk_message *link_tunnel(const char *path, const char *fields);
const struct wk_message *link_connect(const char *authority);
const struct wk_message *link_message(const struct wk_message *head,
    const char *fields);
