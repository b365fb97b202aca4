/* SPDX-License-Identifier: MIT */
/*
 * What a server says without a connection, or for the next one: Retry and
 * NEW_TOKEN (RFC 9000, section 8), stateless resets (section 10.3), Version
 * Negotiation (section 6), refusals. All of it is made of one secret, and so are
 * the keys of TLS tickets.
 */
#include "config.h"

#include <gnutls/crypto.h>
#include <pthread.h>
#include <string.h>

#include "common/net/quic_parts.h"

#define RETRY_NS (10 * WK_NS_PER_SEC)
#define TOKEN_NS (24 * 3600 * WK_NS_PER_SEC)
#define RESETS_PER_SECOND 100
#define RESET_MAX 42		/* as long as a small packet of ours */
#define TOKEN_MAX 256

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint8_t own_secret[QUIC_SECRET_LEN];
static bool has_secret;

/* Without randomness nothing here is safe; GnuTLS aborts long before that. */
void
quic_random(void *data, size_t len)
{
	(void)gnutls_rnd(GNUTLS_RND_RANDOM, data, len);
}

static void
make_secret(void)
{
	has_secret = gnutls_rnd(GNUTLS_RND_KEY, own_secret,
	    sizeof(own_secret)) == 0;
}

int
quic_secret(const struct wk_quic_options *options,
    uint8_t secret[QUIC_SECRET_LEN])
{
	pthread_once(&once, make_secret);
	if (!has_secret)
		return WK_E_SYSTEM;
	memcpy(secret, options->secret != NULL ? options->secret : own_secret,
	    QUIC_SECRET_LEN);
	return WK_OK;
}

int
quic_ticket_key(const struct wk_quic_endpoint *endpoint,
    uint8_t key[QUIC_TICKET_KEY_LEN])
{
	static const char label[] = "wirekit QUIC tickets";

	return gnutls_hmac_fast(GNUTLS_MAC_SHA512, endpoint->secret,
	    QUIC_SECRET_LEN, label, sizeof(label), key);
}

int
quic_new_cid(ngtcp2_cid *cid)
{
	cid->datalen = QUIC_CID_LEN;
	return gnutls_rnd(GNUTLS_RND_RANDOM, cid->data, cid->datalen);
}

int
quic_reset_token(const struct wk_quic_endpoint *endpoint,
    const ngtcp2_cid *cid, uint8_t *token)
{
	return ngtcp2_crypto_generate_stateless_reset_token(token,
	    endpoint->secret, QUIC_SECRET_LEN, cid);
}

/* --- tokens --------------------------------------------------------------- */

enum quic_token
quic_token_check(const struct wk_quic_endpoint *endpoint,
    const ngtcp2_pkt_hd *hd, const struct wk_address *peer, ngtcp2_cid *odcid)
{
	size_t len;
	const uint8_t *token = quic_hd_token(hd, &len);

	if (len == 0)
		return QUIC_TOKEN_NONE;
	if (token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY)
		return ngtcp2_crypto_verify_retry_token(odcid, token, len,
		    endpoint->secret, QUIC_SECRET_LEN, hd->version,
		    (const struct sockaddr *)&peer->sa, peer->len, &hd->dcid,
		    RETRY_NS, wk_clock_wall_ns()) == 0 ?
		    QUIC_TOKEN_RETRY : QUIC_TOKEN_BAD;
	/* One that is too old, or another server's, is no reason to refuse. */
	return token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_REGULAR &&
	    ngtcp2_crypto_verify_regular_token(token, len, endpoint->secret,
	    QUIC_SECRET_LEN, (const struct sockaddr *)&peer->sa, peer->len,
	    TOKEN_NS, wk_clock_wall_ns()) == 0 ?
	    QUIC_TOKEN_GOOD : QUIC_TOKEN_NONE;
}

void
quic_token_issue(struct wk_quic *q, const struct wk_address *peer)
{
	uint8_t token[TOKEN_MAX];
	ngtcp2_ssize len;

	len = ngtcp2_crypto_generate_regular_token(token, q->endpoint->secret,
	    QUIC_SECRET_LEN, (const struct sockaddr *)&peer->sa, peer->len,
	    wk_clock_wall_ns());
	if (len > 0)
		(void)ngtcp2_conn_submit_new_token(q->conn, token, (size_t)len);
}

/* --- answers without a connection ----------------------------------------- */

static bool
answer(const struct quic_datagram *d, uint8_t *data, ngtcp2_ssize len)
{
	struct quic_batch batch = {
		.data = data, .n = 1, .local = d->local, .peer = d->peer,
	};

	if (len <= 0 || quic_udp_is_blocked(d->socket))
		return false;
	batch.len = (size_t)len;
	batch.sizes[0] = (uint16_t)len;
	return quic_udp_send(d->socket, &batch) == 0;
}

bool
quic_send_retry(struct wk_quic_endpoint *endpoint,
    const struct quic_datagram *datagram, const ngtcp2_pkt_hd *hd)
{
	uint8_t token[TOKEN_MAX], packet[QUIC_MIN_INITIAL];
	ngtcp2_cid scid;
	ngtcp2_ssize len;

	if (quic_new_cid(&scid) != 0)
		return false;
	len = ngtcp2_crypto_generate_retry_token(token, endpoint->secret,
	    QUIC_SECRET_LEN, hd->version,
	    (const struct sockaddr *)&datagram->peer.sa, datagram->peer.len,
	    &scid, &hd->dcid, wk_clock_wall_ns());
	if (len <= 0)
		return false;
	len = ngtcp2_crypto_write_retry(packet, sizeof(packet), hd->version,
	    &hd->scid, &scid, &hd->dcid, token, (size_t)len);
	return answer(datagram, packet, len);
}

bool
quic_send_refusal(struct wk_quic_endpoint *endpoint,
    const struct quic_datagram *datagram, const ngtcp2_pkt_hd *hd,
    uint64_t code)
{
	uint8_t packet[QUIC_MIN_INITIAL];

	(void)endpoint;
	return answer(datagram, packet, ngtcp2_crypto_write_connection_close(
	    packet, sizeof(packet), hd->version, &hd->scid, &hd->dcid, code,
	    NULL, 0));
}

bool
quic_send_versions(struct wk_quic_endpoint *endpoint,
    const struct quic_datagram *datagram, const struct wk_quicpkt *packet)
{
	uint32_t versions[QUIC_VERSIONS_MAX + 1], random;
	struct wk_buf b;
	bool is_sent;

	/* One that nobody may speak keeps clients honest. */
	quic_random(&random, sizeof(random));
	versions[0] = wk_quicpkt_reserved(random);
	memcpy(versions + 1, endpoint->versions,
	    endpoint->n_versions * sizeof(versions[0]));
	wk_buf_init(&b, QUIC_MIN_INITIAL);
	is_sent = wk_quicpkt_encode_versions(&b, (uint8_t)(random >> 24) | 0x40,
	    packet, versions, endpoint->n_versions + 1) == WK_OK &&
	    answer(datagram, b.data, (ngtcp2_ssize)b.len);
	wk_buf_free(&b);
	return is_sent;
}

bool
quic_send_reset(struct wk_quic_endpoint *endpoint,
    const struct quic_datagram *datagram, const struct wk_quicpkt *packet)
{
	uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN], out[RESET_MAX];
	uint8_t random[RESET_MAX - NGTCP2_STATELESS_RESET_TOKENLEN];
	uint64_t second = wk_clock_now_ns() / WK_NS_PER_SEC;
	ngtcp2_cid cid;
	size_t len;

	/* Shorter than what it answers, or two servers would talk for ever. */
	if (datagram->len <= NGTCP2_STATELESS_RESET_TOKENLEN +
	    NGTCP2_MIN_STATELESS_RESET_RANDLEN)
		return false;
	if (second != endpoint->reset_second) {
		endpoint->reset_second = second;
		endpoint->resets_now = 0;
	}
	if (++endpoint->resets_now > RESETS_PER_SECOND)
		return false;
	ngtcp2_cid_init(&cid, packet->dcid, packet->dcid_len);
	if (quic_reset_token(endpoint, &cid, token) != 0)
		return false;
	len = datagram->len - 1 < RESET_MAX ? datagram->len - 1 : RESET_MAX;
	len -= NGTCP2_STATELESS_RESET_TOKENLEN;
	quic_random(random, len);
	return answer(datagram, out, ngtcp2_pkt_write_stateless_reset(out,
	    sizeof(out), token, random, len));
}
