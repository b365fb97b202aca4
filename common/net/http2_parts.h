/* SPDX-License-Identifier: MIT */
/*
 * Inside HTTP/2: the session and its streams around an nghttp2 session. Only
 * http2_*.c include this.
 *
 * Who calls whom: nghttp2 calls back from mem_recv and mem_send, and there only
 * its submit, resume and consume functions may be used; so may our verbs, which
 * use nothing else. What must not happen inside a verb or inside nghttp2
 * (closed, writable, data that waited) stands in the session's list of what is
 * due and is delivered by http2_leave().
 */
#pragma once

#include <nghttp2/nghttp2.h>

#include "common/base/ring.h"
#include "common/net/session_parts.h"
#include "common/wire/head.h"

#define HTTP2_FRAME_HEADER 9
#define HTTP2_FRAME_MAX 16384	/* the payloads that we send and accept */
/* Enough for a name and a few words, to be put into an error's reason. */
#define HTTP2_WORDS 128
#define HTTP2_WINDOW_FIRST 65535 /* before any SETTINGS */

/* Output is collected up to here before it is offered. */
#define HTTP2_OUTPUT_TARGET ((size_t)128 << 10)

/*
 * A budget for what costs the peer next to nothing: each event pushes the debt
 * into the future by its cost, time pays it back.
 */
struct http2_budget {
	uint64_t paid_ns;	/* when everything so far is paid back */
};

enum http2_due {
	HTTP2_DUE_WRITABLE = 1 << 0,
	HTTP2_DUE_HELD = 1 << 1,	/* tunnel data that came before the answer */
	HTTP2_DUE_CLOSED = 1 << 2,
};

struct http2;

struct http2_stream {
	struct wk_stream base;
	struct wk_ring queue;		/* written, not yet in frames */
	struct wk_buf held;		/* arrived before the tunnel's answer */
	struct http2_stream *ready_prev, *ready_next;
	struct http2_stream *due_next;
	unsigned due;			/* enum http2_due */
	size_t credit;			/* frames it may send now */
	size_t kept;			/* handed over and not consumed */
	uint64_t announced;		/* Content-Length, if has_announced */
	uint64_t received;
	uint64_t promised;		/* ours, what is left; if has_promised */
	struct http2_lines *waiting;	/* a tunnel that waits for SETTINGS */
	struct wk_stream_end end;
	bool is_ready;			/* in the list of those with output */
	bool is_stuck;			/* sent nothing since its window was shut */
	bool is_listed;			/* in the list of what is due */
	bool is_tunnel;			/* CONNECT, with a protocol or without */
	bool is_extended;		/* with one */
	bool is_head_request;
	bool has_head;			/* the final head was sent or received */
	bool may_write;			/* body, or open tunnel */
	bool is_finished;		/* the owner writes no more */
	bool has_sent_end;
	bool has_received_end;
	bool has_delivered_end;
	bool has_announced;
	bool has_promised;
	bool writes_nowhere;		/* a body for HEAD, taken and dropped */
	bool reads_nowhere;		/* a refused tunnel's octets */
	bool has_end;			/* end says why it is over */
	bool is_submitted;		/* nghttp2 knows it */
	bool is_closed;			/* closed was delivered, or is being */
	bool was_reset;			/* by the peer */
	char reason[WK_ERROR_REASON_MAX];
};

enum http2_drain {
	HTTP2_DRAIN_NOT,
	HTTP2_DRAIN_ASKED,	/* by the owner, nothing sent yet */
	HTTP2_DRAIN_NOTICE,	/* server: the first GOAWAY and a PING are out */
	HTTP2_DRAIN_LAST,	/* the GOAWAY that counts is out */
};

struct http2 {
	struct wk_session base;
	nghttp2_session *ng;
	struct wk_buf out;		/* frames; from out_at on not yet sent */
	size_t out_at;
	struct http2_stream *ready_first, *ready_last;
	size_t n_ready;
	struct http2_stream *due_first, *due_last;
	struct http2_stream *graves;	/* deleted while in use: due_next */
	struct wk_head head;		/* the one that is arriving */
	int32_t head_stream;		/* whose; 0: none */
	bool head_is_wanted;
	struct http2_budget resets, chatter;
	struct wk_error failed;		/* the connection is broken */
	char library_text[HTTP2_WORDS];	/* nghttp2's last ones */
	char goaway_text[HTTP2_WORDS];	/* the peer's */
	enum http2_drain drain;
	unsigned depth;			/* of calls that deliver */
	bool is_deleted;
	bool has_heard;			/* anything from the peer */
	bool has_moved;			/* DATA, since the last look */
	bool is_settled;		/* the peer's SETTINGS are here */
	bool is_draining;		/* the peer takes no new streams */
	bool is_ended;			/* the peer has closed */
	bool is_lost;			/* it does not answer */
	bool is_asking;			/* a PING is out */
	uint64_t now_ns;
	bool is_now;			/* now_ns is the time of this call */
	uint64_t began_ns, heard_ns, asked_ns, head_ns;
	uint64_t idle_ns;		/* since then; WK_NEVER: not known yet */
	uint64_t drain_ns;		/* when not to wait any more */
	uint64_t stall_ns;		/* when to look for stuck streams */
	size_t n_unsubmitted;		/* tunnels that wait for SETTINGS */
};

static inline struct http2 *
http2_of(const struct wk_stream *s)
{
	return (struct http2 *)(void *)s->session;
}

/* --- http2_session.c ------------------------------------------------------- */

/*
 * Around everything that may deliver events. leave delivers what is due; false
 * when the owner deleted the session meanwhile, which then is gone.
 */
void http2_enter(struct http2 *h);
bool http2_leave(struct http2 *h);

/* Something has to be sent or delivered: let the owner come and fetch. */
void http2_wake(struct http2 *h);

/*
 * The connection cannot go on: a GOAWAY with the code and the reason. Inside
 * nghttp2's callbacks their NGHTTP2_ERR_CALLBACK_FAILURE follows.
 */
void http2_fail(struct http2 *h, enum wk_status status, uint32_t code,
    const char *reason);

/* The same when the GOAWAY is on its way already, or would reach nobody. */
void http2_set_failed(struct http2 *h, enum wk_status status,
    uint32_t code, const char *reason);

/* The next step of a shutdown, if it is time for one. */
void http2_drain(struct http2 *h);

/* No streams begin any more, without announcement. */
void http2_last_goaway(struct http2 *h);

/* A GOAWAY is in the output; nghttp2 sends some on its own. */
void http2_goaway_sent(struct http2 *h, const nghttp2_goaway *goaway);

/* --- http2_time.c ----------------------------------------------------------- */

/* When the first of the session's own timers is due, WK_NEVER for none. */
uint64_t http2_deadline_ns(const struct http2 *h);

/* Do what is due at h->now_ns. */
void http2_expired(struct http2 *h);

/* --- http2_receive.c -------------------------------------------------------- */

/* What nghttp2 calls when frames arrive. */
void http2_receive_callbacks(nghttp2_session_callbacks *callbacks);

/* A request was broken off: bounded in how many come how fast. */
void http2_spend_reset(struct http2 *h);

/* nghttp2's error as ours: the status, the code to send, and words. */
void http2_fail_by(struct http2 *h, int error);

/* --- http2_head.c ----------------------------------------------------------- */

/* A copy of a head's lines, as nghttp2 wants them. */
struct http2_lines {
	nghttp2_nv *nv;
	size_t n;
};

/* NULL: no memory. */
struct http2_lines *http2_lines_new(const struct wk_message *m);
void http2_lines_del(struct http2_lines *lines);

/* A whole head has arrived. */
void http2_head_arrived(struct http2 *h, const nghttp2_frame *frame);

/* --- http2_stream.c --------------------------------------------------------- */

struct http2_stream *http2_stream_new(struct http2 *h, uint64_t id,
    const struct wk_message *request);
void http2_stream_del(struct http2_stream *s);

/* The stream of a frame, NULL when it is over for us. */
struct http2_stream *http2_stream_find(struct http2 *h, int32_t id);

/* It is over: say so as soon as that may be. The first reason stays. */
void http2_stream_end(struct http2_stream *s, enum wk_stream_code code,
    bool is_ours, uint64_t wire_code, const char *reason);

/*
 * Take note of the length that a head promises for a body of ours: WK_E_INVALID
 * when there is to be none.
 */
int http2_promise(struct http2_stream *s, const struct wk_message *m,
    bool has_body, struct wk_error *error);

/* The peer's mistake: RST_STREAM, then closed. */
void http2_stream_malformed(struct http2_stream *s, const char *reason);

/* The peer takes nothing of it any more. */
void http2_stream_stalled(struct http2_stream *s);

/* END_STREAM has come: is it the end that was announced? */
void http2_stream_received_end(struct http2_stream *s);

/* Octets of its body have come. */
void http2_stream_received(struct http2_stream *s, const uint8_t *data,
    size_t len);

/* nghttp2 has forgotten the stream. */
void http2_stream_gone(struct http2_stream *s, uint32_t code);

void http2_due(struct http2_stream *s, enum http2_due what);
void http2_deliver_due(struct http2_stream *s);

/* Deliver closed; the memory goes when nobody can be using it. */
void http2_stream_closed(struct http2_stream *s);

/* --- http2_request.c -------------------------------------------------------- */

/* Send what waits for the peer's SETTINGS, or say that it cannot do it. */
void http2_submit_waiting(struct http2 *h);

struct wk_stream *http2_request(struct wk_session *session,
    const struct wk_message *m, bool has_body,
    const struct wk_stream_handler *handler, void *arg,
    struct wk_error *error);

/* --- http2_send.c ----------------------------------------------------------- */

void http2_send_callbacks(nghttp2_session_callbacks *callbacks);

/* A data provider: every stream's queue. */
extern const nghttp2_data_provider http2_provider;

/* What the peer takes now, of a stream's body or (0) of all together. */
int32_t http2_window(const struct http2 *h, uint64_t stream_id);

/* Into the list of those that have something to send, and out of it. */
void http2_ready(struct http2_stream *s);
void http2_unready(struct http2_stream *s);

/* Frames other than DATA into the output, while it is below its target. */
void http2_pump(struct http2 *h);

/* And DATA, one frame of each stream in turn. */
void http2_fill(struct http2 *h);

/* --- http2_text.c ----------------------------------------------------------- */

const char *http2_error_text(uint32_t code);
uint32_t http2_code_out(enum wk_stream_code code);
enum wk_stream_code http2_code_in(uint32_t code);
void http2_trace_begin(struct http2 *h, enum wk_trace kind,
    const nghttp2_frame_hd *hd);
void http2_trace_frame(struct http2 *h, enum wk_trace kind,
    const nghttp2_frame *frame);
