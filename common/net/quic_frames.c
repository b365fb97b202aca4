/* SPDX-License-Identifier: MIT */
/*
 * ngtcp2 answers STOP_SENDING by itself and tells nobody. So each packet's
 * frames are walked over, as soon as they are decrypted and authenticated, to
 * see who was stopped and why (RFC 9000, section 19).
 */
#include "config.h"

#include "common/base/span.h"
#include "common/net/quic_parts.h"
#include "common/wire/varint.h"

#define TAG_LEN 16	/* of every AEAD that QUIC has (RFC 9001, 5.3) */
#define ACK 0x02
#define ACK_ECN 0x03
#define STOP_SENDING 0x05
#define STREAM 0x08
#define STREAM_HAS_LENGTH 0x02
#define STREAM_HAS_OFFSET 0x04
#define STREAM_LAST 0x0f
#define NEW_CONNECTION_ID 0x18
#define N_TYPES 0x20
#define DATAGRAM 0x30
#define DATAGRAM_LENGTH 0x31

/* What follows a type: numbers; then as many octets as the last one says; */
/* then octets always there. */
static const struct shape {
	unsigned char n_numbers;
	bool has_data;
	unsigned char n_octets;
} shapes[N_TYPES] = {
	[0x04] = { 3, false, 0 },	/* RESET_STREAM */
	[0x05] = { 2, false, 0 },
	[0x06] = { 2, true, 0 },	/* CRYPTO */
	[0x07] = { 1, true, 0 },	/* NEW_TOKEN */
	[0x10] = { 1, false, 0 },	/* credit, and the want of it */
	[0x11] = { 2, false, 0 },
	[0x12] = { 1, false, 0 },
	[0x13] = { 1, false, 0 },
	[0x14] = { 1, false, 0 },
	[0x15] = { 2, false, 0 },
	[0x16] = { 1, false, 0 },
	[0x17] = { 1, false, 0 },
	[0x19] = { 1, false, 0 },	/* RETIRE_CONNECTION_ID */
	[0x1a] = { 0, false, 8 },	/* PATH_CHALLENGE, PATH_RESPONSE */
	[0x1b] = { 0, false, 8 },
	[0x1c] = { 3, true, 0 },	/* CONNECTION_CLOSE */
	[0x1d] = { 2, true, 0 },
};

static void
skip_ack(struct wk_span *s, bool has_ecn)
{
	uint64_t n;

	(void)wk_varint_take(s, NULL);
	(void)wk_varint_take(s, NULL);
	n = wk_varint_take(s, NULL);
	(void)wk_varint_take(s, NULL);
	for (; n > 0 && wk_span_is_ok(s); n--) {
		(void)wk_varint_take(s, NULL);
		(void)wk_varint_take(s, NULL);
	}
	for (n = has_ecn ? 3 : 0; n > 0; n--)
		(void)wk_varint_take(s, NULL);
}

static void
skip_octets(struct wk_span *s, uint64_t n)
{
	if (n > wk_span_left(s))
		s->has_failed = true;
	else
		(void)wk_span_take(s, (size_t)n);
}

static void
skip_stream(struct wk_span *s, uint64_t type)
{
	(void)wk_varint_take(s, NULL);
	if ((type & STREAM_HAS_OFFSET) != 0)
		(void)wk_varint_take(s, NULL);
	skip_octets(s, (type & STREAM_HAS_LENGTH) != 0 ? wk_varint_take(s, NULL) :
	    wk_span_left(s));
}

static void
skip_id(struct wk_span *s)
{
	(void)wk_varint_take(s, NULL);
	(void)wk_varint_take(s, NULL);
	skip_octets(s, wk_span_u8(s));
	skip_octets(s, NGTCP2_STATELESS_RESET_TOKENLEN);
}

static void
take_shaped(struct wk_quic *q, struct wk_span *s, uint64_t type)
{
	const struct shape *shape = &shapes[type];
	uint64_t numbers[3] = { 0 };
	unsigned i;

	for (i = 0; i < shape->n_numbers; i++)
		numbers[i] = wk_varint_take(s, NULL);
	if (shape->has_data)
		skip_octets(s, numbers[shape->n_numbers - 1]);
	skip_octets(s, shape->n_octets);
	if (type == STOP_SENDING && wk_span_is_ok(s))
		quic_stream_note_stop(q, numbers[0], numbers[1]);
}

void
quic_frames_look(struct wk_quic *q, const uint8_t *data, size_t len)
{
	struct wk_span s;
	uint64_t type;

	wk_span_init(&s, data, len);
	while (wk_span_left(&s) > 0 && wk_span_is_ok(&s)) {
		type = wk_varint_take(&s, NULL);
		if (type == ACK || type == ACK_ECN)
			skip_ack(&s, type == ACK_ECN);
		else if (type >= STREAM && type <= STREAM_LAST)
			skip_stream(&s, type);
		else if (type == NEW_CONNECTION_ID)
			skip_id(&s);
		else if (type < N_TYPES)
			take_shaped(q, &s, type);
		else if (type == DATAGRAM_LENGTH)
			skip_octets(&s, wk_varint_take(&s, NULL));
		else
			return;		/* DATAGRAM to the end; unknown */
	}
}

/* The connection whose packet is being read: the callback is not told. */
static _Thread_local struct wk_quic *reading;

void
quic_frames_begin(struct wk_quic *q)
{
	reading = q;
}

int
quic_frames_decrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead,
    const ngtcp2_crypto_aead_ctx *ctx, const uint8_t *ciphertext,
    size_t len, const uint8_t *nonce, size_t nonce_len, const uint8_t *aad,
    size_t aad_len)
{
	int rc = ngtcp2_crypto_decrypt_cb(dest, aead, ctx, ciphertext, len,
	    nonce, nonce_len, aad, aad_len);

	if (rc == 0 && reading != NULL && reading->state == QUIC_OPEN &&
	    len > TAG_LEN)
		quic_frames_look(reading, dest, len - TAG_LEN);
	return rc;
}
