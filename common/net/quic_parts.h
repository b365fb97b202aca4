/* SPDX-License-Identifier: MIT */
/* What the parts of the QUIC room share. */
#pragma once

#include <gnutls/gnutls.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/clock.h"
#include "common/base/unconst.h"
#include "common/net/loop.h"
#include "common/net/quic.h"
#include "common/net/quic_compat.h"
#include "common/net/sock.h"
#include "common/net/tls.h"
#include "common/net/transport.h"
#include "common/wire/quicpkt.h"

#define QUIC_CID_LEN 8		/* of the ids that we give out */
#define QUIC_SECRET_LEN 32
#define QUIC_TICKET_KEY_LEN 64	/* what GnuTLS wants */
#define QUIC_MIN_INITIAL 1200	/* RFC 9000, section 14.1 */
#define QUIC_VERSIONS_MAX 2
#define WK_QUIC_NO_ERROR 0x100	/* H3_NO_ERROR, RFC 9114, section 8.1 */

/* --- UDP: quic_udp.c ------------------------------------------------------ */

#define QUIC_BATCH_MAX 64	/* packets of one sendmsg or recvmmsg */
#define QUIC_BATCH_OCTETS 65000	/* of UDP and IP together less than 65535 */

struct quic_socket {
	struct wk_io io;		/* fd -1: closed */
	struct wk_address local;	/* bound to; a client's as connected */
	bool is_connected, is_wildcard;
	bool has_gso, has_gro;
	uint8_t *pending;		/* what the kernel did not take */
	struct quic_batch *pending_batch;
	struct wk_quic_endpoint *endpoint;
};

/* Packets on their way out: same path, same mark. */
struct quic_batch {
	uint8_t *data;			/* one behind the other */
	size_t len, n, first;		/* first: of them not yet sent */
	uint16_t sizes[QUIC_BATCH_MAX];
	struct wk_address local, peer;
	uint8_t ecn;
};

struct quic_datagram {			/* UDP's, received */
	struct quic_socket *socket;
	struct wk_address local, peer;
	uint8_t ecn;
	uint8_t *data;
	size_t len;
};

/*
 * Blocks to read into and write from, one set for each thread that has
 * endpoints; only used within one call.
 */
int quic_udp_hold(void);
void quic_udp_release(void);
uint8_t *quic_udp_block(void);	/* QUIC_BATCH_OCTETS to write from */

/*
 * A socket bound to local (NULL: anything) and connected to peer (NULL: not).
 * The address is written to s->local. WK_OK, or WK_E_SYSTEM with the reason.
 */
int quic_udp_open(struct quic_socket *s, struct wk_quic_endpoint *endpoint,
    const struct wk_address *local, const struct wk_address *peer,
    struct wk_error *error);
void quic_udp_close(struct quic_socket *s);

/*
 * Send what is left of a batch: 0, or errno of what the kernel said. EAGAIN:
 * the socket keeps a copy and sends it when it can; until then nothing else
 * may be sent on it.
 */
int quic_udp_send(struct quic_socket *s, struct quic_batch *batch);
static inline bool
quic_udp_is_blocked(const struct quic_socket *s)
{
	return s->pending_batch != NULL;
}

/* The kernel has room again: 0, EAGAIN or another errno. */
int quic_udp_resume(struct quic_socket *s);

/*
 * Read a bounded number of datagrams; take is called for each, its data only
 * valid inside, and says whether to go on. 0, or the errno that ended it,
 * EAGAIN included.
 */
int quic_udp_receive(struct quic_socket *s,
    bool (*take)(struct quic_datagram *datagram));

/* --- ids: quic_ids.c ------------------------------------------------------ */

struct quic_id {
	struct quic_id *chain;
	struct wk_quic *quic;
	LIST_ENTRY(quic_id) entry;	/* of the connection */
	uint8_t len, data[NGTCP2_MAX_CIDLEN];
};

struct quic_ids {
	struct quic_id **buckets;
	size_t n, n_buckets;		/* a power of two, or 0 */
	uint64_t key[2];		/* of the hash: peers choose ids, too */
};

int quic_ids_init(struct quic_ids *ids);
void quic_ids_free(struct quic_ids *ids);
struct wk_quic *quic_ids_find(const struct quic_ids *ids, const uint8_t *data,
    size_t len);
int quic_ids_add(struct quic_ids *ids, struct wk_quic *quic,
    const uint8_t *data, size_t len);
void quic_ids_remove(struct quic_ids *ids, struct wk_quic *quic,
    const uint8_t *data, size_t len);
void quic_ids_remove_all(struct quic_ids *ids, struct wk_quic *quic);

/* --- streams: quic_stream.c ----------------------------------------------- */

#define QUIC_BLOCK_OCTETS 8176	/* with its head and malloc's: two pages */
#define QUIC_BLOCKS_KEPT 128	/* free ones, for the next */
#define QUIC_STOPS_MAX 512	/* of three octets each */

struct quic_stop {
	uint64_t id, code;
};

struct quic_block {
	struct quic_block *next;
	size_t len;
	uint8_t data[QUIC_BLOCK_OCTETS];
};

struct quic_blocks {		/* to be used again */
	struct quic_block *free;
	size_t n;
};

struct quic_stream {
	uint64_t id;
	struct quic_stream *chain;		/* of the same hash */
	TAILQ_ENTRY(quic_stream) ready;		/* those with something to send */
	TAILQ_ENTRY(quic_stream) waiting;	/* those that hear writable */
	/* Octets from the first unacknowledged one on. */
	struct quic_block *first, *last;
	size_t first_at;
	struct quic_block *next;		/* where the unsent begin */
	size_t next_at;
	size_t unsent, unacked;
	uint64_t unconsumed;
	bool is_ready, is_waiting;
	bool has_finished, has_sent_end;
	bool is_write_over;			/* finished and sent, or reset */
	bool is_blocked;			/* by the peer's credit */
	bool is_stopped;			/* by us */
};

struct quic_streams {
	struct quic_stream **buckets;
	size_t n, n_buckets;
	TAILQ_HEAD(quic_stream_queue, quic_stream) ready, waiting;
	size_t unacked;			/* of all */
};

void quic_streams_init(struct quic_streams *streams);
void quic_streams_free(struct wk_quic *q);
struct quic_stream *quic_stream_find(const struct wk_quic *q, uint64_t id);
struct quic_stream *quic_stream_new(struct wk_quic *q, uint64_t id);
void quic_stream_del(struct wk_quic *q, struct quic_stream *s);

/* The verbs of the transport. */
int quic_stream_open(struct wk_transport *t, bool is_uni, uint64_t *id);
ssize_t quic_stream_write(struct wk_transport *t, uint64_t id,
    const struct iovec *parts, size_t n_parts);
size_t quic_stream_room(const struct wk_transport *t, uint64_t id);
size_t quic_stream_queued(const struct wk_transport *t, uint64_t id);
void quic_stream_finish(struct wk_transport *t, uint64_t id);
void quic_stream_reset(struct wk_transport *t, uint64_t id, uint64_t code);
void quic_stream_stop(struct wk_transport *t, uint64_t id, uint64_t code);
void quic_stream_consume(struct wk_transport *t, uint64_t id, size_t octets);

/* The next to send from, or NULL. */
struct quic_stream *quic_stream_next(struct wk_quic *q);

/* Up to max parts of what is unsent; is_last: FIN stands behind them. */
size_t quic_stream_unsent(const struct quic_stream *s, ngtcp2_vec *parts,
    size_t max, size_t octets, bool *is_last);
/* That much of it went, FIN if it was said to be the last; the next's turn. */
void quic_stream_sent(struct wk_quic *q, struct quic_stream *s, size_t octets,
    bool is_last);
void quic_stream_blocked(struct wk_quic *q, struct quic_stream *s);
void quic_stream_unblocked(struct wk_quic *q, struct quic_stream *s);
void quic_stream_acked(struct wk_quic *q, struct quic_stream *s,
    uint64_t octets);
/* Nothing more will be sent. */
void quic_stream_end_writing(struct wk_quic *q, struct quic_stream *s);
/* Tell those with room again. */
void quic_streams_tell(struct wk_quic *q);

void quic_blocks_free(struct quic_blocks *blocks);

/* STOP_SENDING has come, and ngtcp2 is about to see it. */
void quic_stream_note_stop(struct wk_quic *q, uint64_t id, uint64_t code);
/* It has: tell the session. */
void quic_streams_tell_stops(struct wk_quic *q);

/* --- frames: quic_frames.c ------------------------------------------------ */

/* Before a packet is read, and NULL behind. */
void quic_frames_begin(struct wk_quic *q);
/* Look for what ngtcp2 keeps to itself. */
void quic_frames_look(struct wk_quic *q, const uint8_t *data, size_t len);
int quic_frames_decrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead,
    const ngtcp2_crypto_aead_ctx *ctx, const uint8_t *ciphertext, size_t len,
    const uint8_t *nonce, size_t nonce_len, const uint8_t *aad,
    size_t aad_len);

/* --- datagrams: quic_datagram.c ------------------------------------------- */

struct quic_queue {		/* a ring: length in four octets, data */
	uint8_t *data;
	size_t head, len, cap;	/* cap is 0 or a power of two */
	size_t n;
	bool has_refused;	/* somebody waits for datagram_writable */
	/* Sent and not heard of; only where the library does not ask. */
	uint16_t *sizes;
	size_t under_way;
};

void quic_queue_free(struct quic_queue *queue);
enum wk_transport_sent quic_datagram_send(struct wk_transport *t,
    const struct iovec *parts, size_t n_parts);
size_t quic_datagram_max(const struct wk_transport *t);
/* The first that is not too big by now, in up to two parts; false: none. */
bool quic_datagram_next(struct wk_quic *q, ngtcp2_vec parts[2],
    size_t *n_parts);
void quic_datagram_pop(struct wk_quic *q);
void quic_datagrams_tell(struct wk_quic *q);
/* May one go now, what went, what was heard of, and when to ask after them: */
/* for libraries that do not. */
bool quic_datagrams_may_go(const struct wk_quic *q);
void quic_datagram_went(struct wk_quic *q, const ngtcp2_vec *parts, size_t n);
void quic_datagram_over(struct wk_quic *q, uint64_t id);
void quic_datagrams_watch(struct wk_quic *q);

/* --- connections ---------------------------------------------------------- */

enum quic_state {
	QUIC_HANDSHAKE,
	QUIC_OPEN,
	QUIC_CLOSING,	/* we have closed; late packets are answered */
	QUIC_DRAINING,	/* the peer has; they are not */
	QUIC_DEAD,	/* freed as soon as nobody is inside */
};

enum quic_fate {	/* what is to be done at the end of the round */
	QUIC_FATE_NONE,
	QUIC_FATE_CLOSE,	/* say q->close_error, and leave */
	QUIC_FATE_DRAIN,	/* the peer has closed */
	QUIC_FATE_VANISH,	/* nothing is to be said */
};

struct wk_quic {
	struct wk_transport transport;	/* first */
	struct wk_quic_endpoint *endpoint;
	TAILQ_ENTRY(wk_quic) entry;
	LIST_HEAD(quic_id_list, quic_id) ids;
	void *arg;
	struct wk_address peer, local;
	enum quic_state state;
	enum quic_fate fate;
	unsigned inside;		/* calls into us, not yet returned */
	bool is_in_library;		/* of them, ngtcp2's */
	bool is_server;
	bool has_entered;		/* the session */
	bool is_session_over;		/* it has closed, or heard of it */
	bool was_opened;		/* the owner knows it (client: always) */
	bool is_deleted;		/* by the owner, who hears no more */
	bool is_counted;		/* among the handshakes under way */
	bool wants_streams[2];		/* open said no; index: is_uni */
	bool is_datagram_turn;
	bool has_confirmed;		/* may migrate */
	bool has_lost_address;		/* a new socket is due */

	ngtcp2_conn *conn;
	ngtcp2_crypto_conn_ref ref;
	gnutls_session_t tls;
	struct wk_tls_peer tls_peer;
	char *name;			/* client */
	uint32_t version;		/* as begun with, then negotiated */
	uint32_t refused_version;	/* by Version Negotiation, or 0 */
	uint32_t offered[16];		/* by it */
	size_t n_offered;
	struct wk_timer timer;
	struct wk_task task;
	uint64_t next_socket_ns;	/* not before that, another one */
	int qlog_fd;

	struct quic_streams streams;
	struct quic_queue datagrams;
	uint64_t next_datagram_id;
	unsigned n_probes;		/* for datagrams, since the last packet */
	uint64_t sent_ns;		/* the last one of ours */
	uint64_t probe_ns;		/* when to ask after datagrams */
	uint64_t n_uni;			/* of the peer's, over */
	struct wk_transport_stats counters;

	/* The end. */
	quic_ccerr close_error;		/* what to tell the peer */
	char *close_text;		/* its reason phrase */
	char *reason;			/* for the owner; NULL: nothing wrong */
	bool is_protocol;
	bool is_application, is_clean;	/* for the session */
	uint64_t code;
	uint8_t *close_packet;		/* to be sent again */
	size_t close_len;
	unsigned close_received;	/* packets since */
	char *description;
};

/* quic_conn.c */
struct wk_quic *quic_new(struct wk_quic_endpoint *endpoint, bool is_server,
    const struct wk_address *local, const struct wk_address *peer);
/* Make q->conn and q->tls. */
int quic_begin_client(struct wk_quic *q, uint32_t version,
    struct wk_error *error);
struct quic_initial {		/* what a server has learnt of a client */
	const ngtcp2_pkt_hd *hd;
	const ngtcp2_cid *odcid;	/* of a Retry; or NULL */
	bool is_validated;		/* by a token of either kind */
};
int quic_begin_server(struct wk_quic *q, const struct quic_initial *initial);
void quic_receive(struct wk_quic *q, const struct quic_datagram *datagram);
/*
 * Around everything that may call the session or the owner; leave may free.
 * The session is left in it, or before by itself.
 */
void quic_enter(struct wk_quic *q);
void quic_leave(struct wk_quic *q);
void quic_session_leave(struct wk_quic *q);
void quic_discard(struct wk_quic *q);	/* one that nobody has heard of */
extern const struct wk_transport_ops quic_transport_ops;	/* quic.c */
static inline struct wk_quic *
quic_of(const struct wk_transport *t)
{
	return wk_unconst(t);
}
static inline bool
quic_is_alive(const struct wk_quic *q)	/* verbs have an effect */
{
	return (q->state == QUIC_OPEN || q->state == QUIC_HANDSHAKE) &&
	    q->fate == QUIC_FATE_NONE && !q->is_deleted;
}
/* Is there a session, and does it still listen? */
static inline const struct wk_transport_handler *
quic_session(const struct wk_quic *q)
{
	return q->is_session_over ? NULL : q->transport.handler;
}
void quic_wake(struct wk_quic *q);
void __attribute__((format(printf, 2, 3)))
quic_note(struct wk_quic *q, const char *format, ...);

/* quic_callbacks.c */
extern const ngtcp2_callbacks quic_client_callbacks, quic_server_callbacks;

/* quic_write.c */
void quic_write(struct wk_quic *q);
void quic_send_close(struct wk_quic *q);
void quic_send_again(struct wk_quic *q);	/* the same packet */
void quic_expect(struct wk_quic *q);		/* set the timer */

/* quic_end.c */
/* Why it ends; the first reason counts. */
void __attribute__((format(printf, 3, 4)))
quic_fail(struct wk_quic *q, enum quic_fate fate, const char *format, ...);
void quic_fail_library(struct wk_quic *q, int code);
void quic_fail_application(struct wk_quic *q, uint64_t code,
    const char *reason, bool is_by_session);
void quic_closed_by_peer(struct wk_quic *q);
/* Do what the fate says, when there is one. */
void quic_follow_fate(struct wk_quic *q);
void quic_tell_session(struct wk_quic *q);
void quic_bury(struct wk_quic *q);		/* free what it holds */

/* quic_path.c */
/* The kernel said so about what was sent. */
void quic_path_failed(struct wk_quic *q, int error_number);
void quic_path_renew(struct wk_quic *q);
void quic_path_look(struct wk_quic *q);		/* has the path changed? */
void quic_path_validated(struct wk_quic *q, const ngtcp2_path *path,
    ngtcp2_path_validation_result result);
ngtcp2_path quic_path(const struct wk_address *local,
    const struct wk_address *peer);

/* quic_tls.c */
int quic_tls_new(struct wk_quic *q, struct wk_error *error);
void quic_tls_del(struct wk_quic *q);
void quic_tls_fail(struct wk_quic *q);	/* NGTCP2_ERR_CRYPTO in words */
void quic_ticket_token(struct wk_quic *q, const uint8_t *token, size_t len);
const uint8_t *quic_ticket_take_token(struct wk_quic *q, size_t *len);

/* quic_qlog.c */
void quic_qlog_open(struct wk_quic *q, ngtcp2_settings *settings,
    const ngtcp2_cid *odcid);
void quic_qlog_close(struct wk_quic *q);

/* --- endpoints: quic_endpoint.c ------------------------------------------- */

struct wk_quic_endpoint {
	struct wk_loop *loop;
	struct wk_quic_options options;
	const struct wk_quic_handler *handler;
	void *arg;
	bool is_server, is_draining, is_deleted;
	unsigned inside;
	struct quic_socket socket;
	struct quic_socket old_socket;	/* a client's, before it migrated, */
	struct quic_socket new_socket;	/* and where it is about to */
	struct quic_ids ids;
	struct quic_blocks blocks;
	TAILQ_HEAD(quic_queue_of_all, wk_quic) connections;	/* those that are over, too */
	size_t n_over;
	struct wk_quic_counters counters;
	uint8_t secret[QUIC_SECRET_LEN];	/* of resets and tokens */
	uint8_t ticket_key[QUIC_TICKET_KEY_LEN];
	struct quic_stop stops[QUIC_STOPS_MAX];	/* of one UDP datagram */
	size_t n_stops;
	uint64_t reset_second;		/* resets of this second so far */
	unsigned resets_now;
	uint32_t versions[QUIC_VERSIONS_MAX];	/* most wanted first */
	size_t n_versions;
};

struct wk_quic_endpoint *quic_endpoint_new(struct wk_loop *loop,
    const struct wk_quic_options *options,
    const struct wk_quic_handler *handler, void *arg, bool is_server,
    struct wk_error *error);
void quic_endpoint_free(struct wk_quic_endpoint *endpoint);
void quic_endpoint_forget(struct wk_quic *q);	/* it is being freed */
void quic_endpoint_wake_all(struct wk_quic_endpoint *endpoint);
void quic_endpoint_ready(struct wk_io *io, unsigned events);
bool quic_endpoint_speaks(const struct wk_quic_endpoint *endpoint,
    uint32_t version);

/* quic_token.c */
int quic_secret(const struct wk_quic_options *options,
    uint8_t secret[QUIC_SECRET_LEN]);
int quic_ticket_key(const struct wk_quic_endpoint *endpoint,
    uint8_t key[QUIC_TICKET_KEY_LEN]);
void quic_random(void *data, size_t len);
int quic_new_cid(ngtcp2_cid *cid);
int quic_reset_token(const struct wk_quic_endpoint *endpoint,
    const ngtcp2_cid *cid, uint8_t *token);

enum quic_token {
	QUIC_TOKEN_NONE,	/* or one that proves nothing */
	QUIC_TOKEN_GOOD,	/* of NEW_TOKEN */
	QUIC_TOKEN_RETRY,	/* of Retry; odcid is set */
	QUIC_TOKEN_BAD,		/* of Retry, and wrong */
};
enum quic_token quic_token_check(const struct wk_quic_endpoint *endpoint,
    const ngtcp2_pkt_hd *hd, const struct wk_address *peer, ngtcp2_cid *odcid);
/* NEW_TOKEN, for the next time from that address. */
void quic_token_issue(struct wk_quic *q, const struct wk_address *peer);
bool quic_send_retry(struct wk_quic_endpoint *endpoint,
    const struct quic_datagram *datagram, const ngtcp2_pkt_hd *hd);
bool quic_send_refusal(struct wk_quic_endpoint *endpoint,
    const struct quic_datagram *datagram, const ngtcp2_pkt_hd *hd,
    uint64_t code);
bool quic_send_versions(struct wk_quic_endpoint *endpoint,
    const struct quic_datagram *datagram, const struct wk_quicpkt *packet);
bool quic_send_reset(struct wk_quic_endpoint *endpoint,
    const struct quic_datagram *datagram, const struct wk_quicpkt *packet);
