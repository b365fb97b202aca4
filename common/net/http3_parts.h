/* SPDX-License-Identifier: MIT */
/*
 * Inside HTTP/3: the session and its streams over a transport. Only http3_*.c
 * include this.
 *
 * Who calls whom: the transport tells its events between enter and leave; our
 * verbs call its verbs, which only take note, at any time. What must not happen
 * inside a verb (closed, writable, what waited) stands in the session's list of
 * what is due and is delivered by http3_leave().
 *
 * A stream is known from its first octet until the transport forgets it. The
 * owner knows it for a shorter time: a server's from its request on, each until
 * closed. Octets are consumed at once, but for the payload of DATA, which the
 * owner consumes.
 */
#pragma once

#include "common/base/buf.h"
#include "common/base/unconst.h"
#include "common/net/http3_session.h"
#include "common/net/session_parts.h"
#include "common/wire/h3frame.h"
#include "common/wire/head.h"

struct nghttp3_qpack_encoder;
struct nghttp3_qpack_decoder;

/*
 * A budget for what costs the peer next to nothing: each event pushes the debt
 * into the future by its cost, time pays it back.
 */
struct http3_budget {
	uint64_t paid_ns;	/* when everything so far is paid back */
};

enum http3_due {
	HTTP3_DUE_HELD = 1 << 0,	/* came before the tunnel's answer */
	HTTP3_DUE_DATAGRAMS = 1 << 1,	/* there is room for some again */
	HTTP3_DUE_ANSWERED = 1 << 2,	/* whole; is the rest of interest? */
	HTTP3_DUE_CLOSED = 1 << 3,
};

#define HTTP3_BUCKETS 64

struct http3;

struct http3_claim;

struct http3_stream {
	struct wk_stream base;
	const struct http3_claim *claim;	/* no request: whose it is */
	struct http3_stream *table_next, *due_next;
	struct http3_stream *head_prev, *head_next;
	unsigned due;			/* enum http3_due */

	/* What arrives. */
	struct wk_h3frame_reader reader;
	struct wk_buf block;		/* of a head that comes in pieces */
	const uint8_t *whole_block;	/* of one that does not */
	struct wk_buf held;		/* DATA before the tunnel's answer */
	size_t kept;			/* handed over and not consumed */
	uint64_t announced;		/* Content-Length, if has_announced */
	uint64_t received;
	uint64_t head_ns;		/* when the head that comes began */

	/* What leaves. */
	struct wk_buf unsent;		/* heads that found no room, or of a */
					/* tunnel that waits */
	size_t overhead;		/* of what it has queued: no payload */
	bool has_payload;		/* queued since it was last empty */
	uint64_t promised;		/* what is left, if has_promised */

	struct wk_stream_end end;
	bool is_wired;			/* the transport knows it */
	bool is_counted;		/* in n_open */
	bool is_gone;			/* it does not any more */
	bool is_attached;		/* the owner has seen it */
	bool is_listed;			/* in the list of what is due */
	bool is_heading;		/* in the list of heads that come */
	bool is_waiting;		/* a tunnel that waits for SETTINGS */
	bool is_tunnel;			/* CONNECT, of either kind */
	bool is_extended;		/* with one */
	bool is_head_request;
	bool has_met;			/* the peer's final head has come */
	bool has_trailers;		/* and those */
	bool is_skipping;		/* the frame at hand */
	bool has_head;			/* the final one, sent or received */
	bool is_open;			/* a tunnel that was opened */
	bool may_write;			/* body, or open tunnel */
	bool is_finished;		/* the owner writes no more */
	bool has_sent_end;		/* FIN is behind what is queued */
	bool has_reset;			/* our direction: by us, or stopped */
	bool has_stopped;		/* the peer's direction, by us */
	bool was_stopped;		/* the peer wants no rest of ours */
	bool has_received_end;
	bool has_delivered_end;
	bool has_announced;
	bool has_promised;
	bool writes_nowhere;		/* a body for HEAD, or for nobody */
	bool reads_nowhere;		/* a refused tunnel's octets */
	bool waits_room;		/* write took less */
	bool waits_datagram;		/* send_datagram was blocked */
	bool has_end;			/* end says why it is over */
	bool is_closed;			/* closed was delivered, or is being */
	char reason[WK_ERROR_REASON_MAX];
};

/*
 * The peer's unidirectional streams, and bidirectional ones that begin as no
 * request does: claimed by their first number (RFC 9114, section 6.2; 0x54 and
 * 0x41 are WebTransport's). Which of ours hears what comes is in a table; more
 * may be registered, which then also consume and end them. Events as of the
 * transport; all but data may be NULL.
 */
struct http3_claim {
	uint64_t type;
	bool is_uni;
	/* From behind the type on. */
	void (*data)(struct http3 *h, uint64_t id, const uint8_t *data,
	    size_t len, bool is_last);
	void (*was_reset)(struct http3 *h, uint64_t id, uint64_t code);
	/* Bidirectional ones only. */
	void (*was_stopped)(struct http3 *h, uint64_t id, uint64_t code);
	void (*gone)(struct http3 *h, uint64_t id);
};

struct http3_uni {
	struct http3_uni *next;
	uint64_t id;
	struct wk_varint_reader num;
	const struct http3_claim *claim;	/* NULL: type not read yet */
};

/* A datagram that nobody can have yet; its octets stand behind it. */
struct http3_kept {
	struct http3_kept *next;
	uint64_t stream_id, since_ns;
	size_t len;
	uint8_t data[];
};

enum http3_drain {
	HTTP3_DRAIN_NOT,
	HTTP3_DRAIN_ASKED,	/* by the owner, nothing sent yet */
	HTTP3_DRAIN_NOTICE,	/* server: the first GOAWAY is out */
	HTTP3_DRAIN_LAST,	/* the GOAWAY that counts is out */
};

/* The peer's control stream. */
struct http3_control {
	struct wk_h3frame_reader reader;
	struct wk_h3id_reader id;	/* of the frame at hand */
	bool is_open, has_settings;
	bool is_id;			/* the frame at hand is one */
	uint64_t goaway, max_push_id;
	bool has_goaway, has_max_push_id;
};

#define HTTP3_CLAIMS_MAX 8

struct http3 {
	struct wk_session base;
	struct wk_transport *transport;
	struct nghttp3_qpack_encoder *encoder;
	struct nghttp3_qpack_decoder *decoder;
	struct wk_head head;		/* the one that is being read */
	struct http3_stream *table[HTTP3_BUCKETS];
	struct http3_stream *due_first, *due_last;
	struct http3_stream *head_first, *head_last;	/* oldest first */
	struct http3_stream *graves;	/* deleted while in use: due_next */
	size_t n_open;			/* requests of the peer's, until gone */
	struct http3_uni *unis;
	size_t n_unis;
	const struct http3_claim *claims[HTTP3_CLAIMS_MAX];
	size_t n_claims;

	struct http3_control control;
	struct wk_h3settings settings;	/* the peer's, when is_settled */
	uint64_t decoder_number;	/* octets of one on its QPACK stream */
	bool has_encoder, has_decoder;	/* streams of the peer's */
	bool is_settled;		/* the peer's SETTINGS are here */
	bool has_frames;		/* datagrams travel in them */
	bool has_connect;		/* the server takes Extended CONNECT */

	uint64_t control_id;		/* our control stream, if has_control */
	bool has_control;
	struct wk_buf control_out;	/* not yet taken by the transport */

	struct http3_kept *kept_first, *kept_last;
	size_t n_kept, kept_octets;

	uint64_t next_id;		/* server: behind the last request */
	size_t n_waiting;		/* tunnels that wait for SETTINGS */
	struct http3_budget resets, chatter;
	struct wk_error failed;		/* the connection is broken */
	enum http3_drain drain;
	unsigned depth;			/* of calls that deliver */
	bool is_deleted;
	bool is_draining;		/* the peer takes no new streams */
	bool is_ended;			/* the transport is closed */
	bool was_cut;			/* while there were streams */
	uint64_t now_ns;
	bool is_now;			/* now_ns is the time of this call */
	uint64_t began_ns;
	uint64_t idle_ns;		/* since; WK_NEVER: not known yet */
	uint64_t drain_ns;		/* when not to wait any more */
};

static inline struct http3 *
http3_of(const struct wk_stream *s)
{
	return (struct http3 *)(void *)s->session;
}

/* --- http3_session.c ------------------------------------------------------ */

/*
 * Around everything that may deliver events. leave delivers what is due; false
 * when the owner deleted the session meanwhile, which then is gone.
 */
void http3_enter(struct http3 *h);
bool http3_leave(struct http3 *h);

/* Something has to be sent or delivered: let the owner know. */
void http3_wake(struct http3 *h);

/* The connection cannot go on: closed with the code and the reason. */
void http3_fail(struct http3 *h, uint64_t code, const char *reason);

/* Nothing more is to be read: failed, closed, or deleted. */
bool http3_is_over(const struct http3 *h);

/* The next step of a shutdown, if it is time for one. */
void http3_drain(struct http3 *h);

/* No streams begin any more, without announcement. */
void http3_last_goaway(struct http3 *h);

/* Costs of what the peer does without cost; they fail the connection. */
void http3_spend_reset(struct http3 *h);
void http3_spend_chatter(struct http3 *h);
void http3_refund_chatter(struct http3 *h);

/* --- http3_time.c --------------------------------------------------------- */

/* When the first of the session's own timers is due, WK_NEVER for none. */
uint64_t http3_deadline_ns(const struct http3 *h);

/* Do what is due at h->now_ns. */
void http3_expired(struct http3 *h);

/* A head of the stream has begun, or is there or given up. */
void http3_head_begins(struct http3_stream *s);
void http3_head_ends(struct http3_stream *s);

/* --- http3_control.c ------------------------------------------------------ */

/* Open our control stream, as soon as the peer lets us. WK_E_NOMEM. */
int http3_control_open(struct http3 *h);
void http3_control_flush(struct http3 *h);
void http3_control_goaway(struct http3 *h, uint64_t id);

/* The peer's. */
void http3_control_data(struct http3 *h, uint64_t id, const uint8_t *data,
    size_t len, bool is_last);

/* --- http3_receive.c ------------------------------------------------------ */

/* What the transport tells of streams. */
void http3_data(void *arg, uint64_t id, const uint8_t *data, size_t len,
    bool is_last);
void http3_was_reset(void *arg, uint64_t id, uint64_t code);
void http3_was_stopped(void *arg, uint64_t id, uint64_t code);
void http3_gone(void *arg, uint64_t id);

/* A stream of the peer's that ours must not lose (RFC 9114, section 6.2). */
void http3_critical_closed(struct http3 *h, uint64_t id, uint64_t code);

/* Which of ours a stream is for; registered before the peer can know. */
int http3_claim(struct http3 *h, const struct http3_claim *claim);
void http3_unis_free(struct http3 *h);

/* --- http3_qpack.c -------------------------------------------------------- */

int http3_qpack_init(struct http3 *h);
void http3_qpack_free(struct http3 *h);

/* A HEADERS frame with the head, behind what b has; WK_E_NOMEM. */
int http3_encode(struct http3 *h, struct wk_buf *b, const struct wk_message *m);

/*
 * A field section into h->head, which was started. WK_OK, though the head may
 * have an error of its own; WK_E_MALFORMED, WK_E_NOMEM: of the section.
 */
int http3_decode(struct http3 *h, const uint8_t *block, size_t len);

void http3_encoder_data(struct http3 *h, uint64_t id, const uint8_t *data,
    size_t len, bool is_last);
void http3_decoder_data(struct http3 *h, uint64_t id, const uint8_t *data,
    size_t len, bool is_last);

/* --- http3_head.c --------------------------------------------------------- */

/* A whole HEADERS frame; is_end: the stream ends behind it. */
void http3_head_arrived(struct http3_stream *s, const uint8_t *block,
    size_t len, bool is_end);

/* One too long to be read. */
void http3_head_too_long(struct http3_stream *s);

/* --- http3_stream.c ------------------------------------------------------- */

/* NULL: no memory. Known by its id from the moment that it is wired. */
struct http3_stream *http3_stream_new(struct http3 *h);
void http3_stream_wire(struct http3_stream *s, uint64_t id);
struct http3_stream *http3_stream_find(const struct http3 *h, uint64_t id);

/* From now on the owner's, for this request. */
void http3_stream_attach(struct http3_stream *s,
    const struct wk_message *request);

/* The request was refused: the owner never had it. */
void http3_stream_detach(struct http3_stream *s);

/* The memory goes when neither owner nor transport know it any more. */
void http3_stream_bury(struct http3_stream *s);
void http3_stream_del(struct http3_stream *s);

/* It is over: say so as soon as that may be. The first reason stays. */
void http3_stream_end(struct http3_stream *s, enum wk_stream_code code,
    bool is_ours, uint64_t wire_code, const char *reason);

/* Both directions end by us, with the code. */
void http3_stream_abort(struct http3_stream *s, uint64_t wire_code);

/* No more of the peer's direction, please. */
void http3_stream_stop(struct http3_stream *s, uint64_t wire_code);

/* The peer's mistake: reset, then closed. */
void http3_stream_malformed(struct http3_stream *s, const char *reason);

/* FIN has come: is it the end that was announced? */
void http3_stream_received_end(struct http3_stream *s);

/* Octets of its body have come. */
void http3_stream_received(struct http3_stream *s, const uint8_t *data,
    size_t len);

/* Both directions are over and nothing waits: closed. */
void http3_stream_settle(struct http3_stream *s);

/*
 * Take note of the length that a head promises for a body of ours: WK_E_INVALID
 * when there is to be none.
 */
int http3_promise(struct http3_stream *s, const struct wk_message *m,
    bool has_body, struct wk_error *error);

void http3_due(struct http3_stream *s, enum http3_due what);
void http3_deliver_due(struct http3_stream *s);

/* Deliver closed; the memory goes when nobody can be using it. */
void http3_stream_closed(struct http3_stream *s);

/* --- http3_send.c --------------------------------------------------------- */

/* A head, behind everything before it. WK_E_NOMEM. */
int http3_send_head(struct http3_stream *s, const struct wk_message *m);

/* What the transport had no room for, then FIN if it is time for it. */
void http3_flush(struct http3_stream *s);

/* FIN behind everything. */
void http3_send_end(struct http3_stream *s);

/* The writing verbs of a stream. */
ssize_t http3_write(struct wk_stream *base, const void *data, size_t len);
void http3_write_both(struct wk_stream *base, const void *first,
    size_t first_len, const void *second, size_t second_len);
size_t http3_queued(const struct wk_stream *base);
size_t http3_room(const struct wk_stream *base);
int http3_finish(struct wk_stream *base);

/* Whether somebody who waits for room may hear of it. */
bool http3_is_writable(const struct http3_stream *s);

/* --- http3_request.c ------------------------------------------------------ */

/* Send what waits for the peer's SETTINGS, or say that it cannot do it. */
void http3_submit_waiting(struct http3 *h);

struct wk_stream *http3_request(struct wk_session *session,
    const struct wk_message *m, bool has_body,
    const struct wk_stream_handler *handler, void *arg,
    struct wk_error *error);

/* --- http3_datagram.c ----------------------------------------------------- */

void http3_datagram(void *arg, const uint8_t *data, size_t len);
void http3_datagram_writable(void *arg);

/* Those kept for this stream, if it can have them now. */
void http3_datagrams_deliver(struct http3_stream *s);
void http3_datagrams_drop(struct http3 *h, uint64_t stream_id);
void http3_datagrams_expire(struct http3 *h);
void http3_datagrams_free(struct http3 *h);
uint64_t http3_datagrams_deadline_ns(const struct http3 *h);

bool http3_has_frames(const struct wk_stream *base);
enum wk_stream_sent http3_send_datagram(struct wk_stream *base,
    const void *data, size_t len);
size_t http3_datagram_max(const struct wk_stream *base);

/* --- http3_text.c --------------------------------------------------------- */

/* "H3_NO_ERROR", "error 0x1234"; the text is in the buffer or static. */
const char *http3_error_text(uint64_t code, char buffer[32]);
uint64_t http3_code_out(enum wk_stream_code code);
enum wk_stream_code http3_code_in(uint64_t code);

void http3_trace_frame(struct http3 *h, enum wk_trace kind, uint64_t id,
    uint64_t type, uint64_t length);
void http3_trace_id(struct http3 *h, enum wk_trace kind, uint64_t type,
    uint64_t id);
void http3_trace_settings(struct http3 *h, enum wk_trace kind,
    const struct wk_h3setting *list, size_t n);
