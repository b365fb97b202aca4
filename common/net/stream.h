/* SPDX-License-Identifier: MIT */
/*
 * A stream is one exchange of a request and its response, on either end, over
 * HTTP/1.1, HTTP/2 or HTTP/3. Verbs and events are the same in all versions;
 * who must know the version asks wk_stream_version().
 *
 * Whose is what: the session owns the stream. The owner of the exchange sets a
 * handler and may use the stream until its closed event has returned, which
 * comes exactly once, last, and never from inside a verb: verbs may be called
 * in any event, and any verb may be called after a reset (it does nothing
 * then and says WK_E_INVALID).
 *
 * Flow control: what data hands over counts as kept by the owner until
 * wk_stream_consume() says otherwise; the session lets a peer send no more
 * than its window beyond that, so whoever forwards to something slow consumes
 * as the slow one takes. In the other direction wk_stream_write() takes what
 * its queue has room for, and writable follows when it took less.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/error.h"
#include "common/wire/capsule.h"
#include "common/wire/message.h"

enum wk_http_version {
	WK_HTTP_1_1 = 1 << 0,	/* bits, because clients and servers offer sets */
	WK_HTTP_2 = 1 << 1,
	WK_HTTP_3 = 1 << 2,
};

/* "HTTP/2", as users write it. */
const char *wk_http_version_text(enum wk_http_version version);

/*
 * Why a stream ended early. HTTP/2 and HTTP/3 have codes for these; HTTP/1.1
 * can only break the connection, without a close_notify.
 */
enum wk_stream_code {
	WK_STREAM_NO_ERROR,	/* not needed any more, nothing wrong */
	WK_STREAM_CANCEL,	/* H3_REQUEST_CANCELLED, CANCEL */
	WK_STREAM_MALFORMED,	/* H3_MESSAGE_ERROR, PROTOCOL_ERROR */
	WK_STREAM_DATAGRAM,	/* H3_DATAGRAM_ERROR, PROTOCOL_ERROR */
	WK_STREAM_CONNECT,	/* the proxied socket: H3_CONNECT_ERROR, CONNECT_ERROR */
	WK_STREAM_REFUSED,	/* not processed at all: may be tried again */
	WK_STREAM_OVERLOAD,	/* H3_EXCESSIVE_LOAD, ENHANCE_YOUR_CALM */
	WK_STREAM_INTERNAL,
	WK_STREAM_UNSUPPORTED,	/* local: the peer cannot do what was asked */
	WK_STREAM_LOST,		/* local: the connection ended or timed out */
	WK_STREAM_OTHER,	/* a peer's code without a name here */
};

struct wk_stream_end {
	enum wk_stream_code code;
	bool is_ours;		/* we reset it, or found the peer's mistake */
	uint64_t wire_code;	/* as received or sent; 0 in HTTP/1.1 */
	const char *reason;	/* words, borrowed for the event; never NULL */
};

struct wk_stream;

/* What the owner hears; those that it does not care for may be NULL. */
struct wk_stream_handler {
	/* Client: a 1xx other than 101. */
	void (*informational)(struct wk_stream *s, const struct wk_message *m);
	/* Client: the final response; m->opens_tunnel answers a tunnel. */
	void (*head)(struct wk_stream *s, const struct wk_message *m);
	/* Octets of the body or the tunnel, borrowed; see flow control. */
	void (*data)(struct wk_stream *s, const uint8_t *data, size_t len);
	/* After wk_stream_use_capsules(), instead of data. */
	void (*datagram)(struct wk_stream *s, const uint8_t *data, size_t len);
	void (*capsule)(struct wk_stream *s, enum wk_capsule_event event,
	    const struct wk_capsule *capsule);
	/* The peer has finished its direction, cleanly. */
	void (*end)(struct wk_stream *s);
	/* The queue has room again; after a write that took less, once. */
	void (*writable)(struct wk_stream *s);
	/* Over: NULL when both directions finished cleanly. */
	void (*closed)(struct wk_stream *s, const struct wk_stream_end *end);
};

/* Set who listens, and its argument. A server does this in its request event. */
void wk_stream_handle(struct wk_stream *s,
    const struct wk_stream_handler *handler, void *arg);
void *wk_stream_arg(const struct wk_stream *s);

struct wk_session;
struct wk_session *wk_stream_session(const struct wk_stream *s);
enum wk_http_version wk_stream_version(const struct wk_stream *s);

/*
 * The id on the wire; over HTTP/1.1 the exchange's number, from 1. 0 while a
 * tunnel waits for the server's settings.
 */
uint64_t wk_stream_id(const struct wk_stream *s);

/*
 * Server: the final response. is_last: no body follows. To a tunnel request, a
 * 2xx opens it (and travels as 101 over HTTP/1.1). Content-Length is the
 * caller's to give; without one a body is chunked over HTTP/1.1. WK_OK, or
 * WK_E_INVALID with the reason: the head may not be sent, or was sent already.
 */
int wk_stream_respond(struct wk_stream *s, const struct wk_message *m,
    bool is_last, struct wk_error *error);

/* Server: a 1xx other than 101, any number before the final one. */
int wk_stream_respond_informational(struct wk_stream *s,
    const struct wk_message *m, struct wk_error *error);

/*
 * Queue octets of the body or tunnel. Returns how many were taken, 0 to len;
 * writable follows when that is less than len. WK_E_INVALID once finished or
 * over; on a tunnel also before it is open (RFC 9931 forbids it on HTTP/1.1,
 * and so do we everywhere).
 */
ssize_t wk_stream_write(struct wk_stream *s, const void *data, size_t len);

/* Octets that wait in the queue, not yet given to the transport. */
size_t wk_stream_queued(const struct wk_stream *s);

/* Octets that wk_stream_write() would take now. */
size_t wk_stream_room(const struct wk_stream *s);

/* No more from us: end of body or half-closed tunnel. WK_OK, WK_E_INVALID. */
int wk_stream_finish(struct wk_stream *s);

/* The owner is done with that many octets that data handed over. */
void wk_stream_consume(struct wk_stream *s, size_t octets);

/*
 * Give up. The peer hears the code, reason is for closed's; both directions
 * end, what was queued is dropped.
 */
void wk_stream_reset(struct wk_stream *s, enum wk_stream_code code,
    const char *reason);

/*
 * The Capsule Protocol on an open tunnel (RFC 9297, section 3): from now on
 * datagram and capsule events come instead of data, and consumption is
 * automatic. A DATAGRAM capsule longer than max_datagram is skipped without
 * being kept, and counted; any other value comes in pieces. A stream that ends
 * inside a capsule is malformed. WK_OK, WK_E_NOMEM, WK_E_INVALID.
 */
int wk_stream_use_capsules(struct wk_stream *s, size_t max_datagram);

/* What became of a datagram or capsule. */
enum wk_stream_sent {
	WK_STREAM_SENT,		/* on its way, or in the queue */
	WK_STREAM_BLOCKED,	/* no room: drop it, or wait for writable */
	WK_STREAM_TOO_BIG,	/* for the path, now; see wk_stream_datagram_max */
	WK_STREAM_CLOSED,	/* not open, finished, or over */
};

/*
 * Send one HTTP datagram: in a QUIC DATAGRAM frame where the connection has
 * them on both sides, else in a DATAGRAM capsule (RFC 9297, sections 2 and
 * 3.5). Whole or not at all.
 */
enum wk_stream_sent wk_stream_send_datagram(struct wk_stream *s,
    const void *data, size_t len);

/* The longest datagram that would not be TOO_BIG now. */
size_t wk_stream_datagram_max(const struct wk_stream *s);

/* Whether datagrams travel in QUIC DATAGRAM frames; else in capsules. */
bool wk_stream_has_datagram_frames(const struct wk_stream *s);

/* Send one capsule. type_octets and length_octets as in wk_capsule_header(). */
enum wk_stream_sent wk_stream_send_capsule(struct wk_stream *s,
    const struct wk_capsule *capsule, const void *value);

/* DATAGRAM capsules that were too long to be kept. */
uint64_t wk_stream_oversized(const struct wk_stream *s);
