/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/http3_parts.h"

#include <stdlib.h>

#include <nghttp3/nghttp3.h>

/* What nobody may remember on the way, whatever is compressed how. */
static bool
is_secret(struct wk_str name)
{
	return wk_str_is(name, "authorization") ||
	    wk_str_is(name, "proxy-authorization") || wk_str_is(name, "cookie");
}

int
http3_qpack_init(struct http3 *h)
{
	const nghttp3_mem *mem = nghttp3_mem_default();

	/* No dynamic table, in either direction. */
	if (nghttp3_qpack_encoder_new(&h->encoder, 0, mem) != 0 ||
	    nghttp3_qpack_decoder_new(&h->decoder, 0, 0, mem) != 0)
		return WK_E_NOMEM;
	return WK_OK;
}

void
http3_qpack_free(struct http3 *h)
{
	if (h->encoder != NULL)
		nghttp3_qpack_encoder_del(h->encoder);
	if (h->decoder != NULL)
		nghttp3_qpack_decoder_del(h->decoder);
}

/* --- field sections ------------------------------------------------------- */

/* The library's pointers are to const since 0.13; it never writes there. */
static uint8_t *
octets_of(struct wk_str text)
{
	return wk_unconst(text.at == NULL ? "" : text.at);
}

static nghttp3_nv *
lines_of(const struct wk_message *m, char status[4], size_t *n)
{
	size_t max = WK_HEAD_PSEUDO_MAX + m->n_fields, i;
	struct wk_field *fields = calloc(max, sizeof(*fields));
	nghttp3_nv *nv = calloc(max, sizeof(*nv));

	if (fields != NULL && nv != NULL) {
		*n = wk_head_lines(m, status, fields);
		for (i = 0; i < *n; i++)
			nv[i] = (nghttp3_nv){
				.name = octets_of(fields[i].name),
				.namelen = fields[i].name.len,
				.value = octets_of(fields[i].value),
				.valuelen = fields[i].value.len,
				.flags = is_secret(fields[i].name) ?
				    NGHTTP3_NV_FLAG_NEVER_INDEX :
				    NGHTTP3_NV_FLAG_NONE,
			};
	} else {
		free(nv);
		nv = NULL;
	}
	free(fields);
	return nv;
}

int
http3_encode(struct http3 *h, struct wk_buf *b, const struct wk_message *m)
{
	const nghttp3_mem *mem = nghttp3_mem_default();
	nghttp3_buf prefix, section, instructions;
	char status[4];
	nghttp3_nv *nv;
	size_t n = 0;
	int rc;

	nv = lines_of(m, status, &n);
	if (nv == NULL)
		return WK_E_NOMEM;
	nghttp3_buf_init(&prefix);
	nghttp3_buf_init(&section);
	nghttp3_buf_init(&instructions);
	/* The stream matters only to a dynamic table. */
	rc = nghttp3_qpack_encoder_encode(h->encoder, &prefix, &section,
	    &instructions, 0, nv, n);
	if (rc == 0) {
		wk_varint_append(b, WK_H3FRAME_HEADERS, 0);
		wk_varint_append(b, nghttp3_buf_len(&prefix) +
		    nghttp3_buf_len(&section), 0);
		wk_buf_append(b, prefix.pos, nghttp3_buf_len(&prefix));
		wk_buf_append(b, section.pos, nghttp3_buf_len(&section));
	}
	nghttp3_buf_free(&prefix, mem);
	nghttp3_buf_free(&section, mem);
	nghttp3_buf_free(&instructions, mem);
	free(nv);
	return rc == 0 && b->status == WK_OK ? WK_OK : WK_E_NOMEM;
}

static struct wk_str
text_of(const nghttp3_rcbuf *buf)
{
	nghttp3_vec v = nghttp3_rcbuf_get_buf(buf);
	const struct wk_str text = { (const char *)v.base, v.len };

	return text;
}

static int
decode_with(struct http3 *h, nghttp3_qpack_stream_context *context,
    const uint8_t *block, size_t len)
{
	nghttp3_qpack_nv nv;
	uint8_t flags;
	int64_t n;

	for (;;) {
		flags = 0;
		n = nghttp3_qpack_decoder_read_request(h->decoder, context,
		    &nv, &flags, block, len, 1);
		if (n == NGHTTP3_ERR_NOMEM)
			return WK_E_NOMEM;
		if (n == NGHTTP3_ERR_QPACK_HEADER_TOO_LARGE) {
			wk_error_set(&h->head.error, WK_E_LIMIT, 0,
			    "a field is too long");
			return WK_OK;
		}
		if (n < 0 || (flags & NGHTTP3_QPACK_DECODE_FLAG_BLOCKED) != 0)
			return WK_E_MALFORMED;
		block += n;
		len -= (size_t)n;
		if ((flags & NGHTTP3_QPACK_DECODE_FLAG_EMIT) != 0) {
			wk_head_add(&h->head, text_of(nv.name),
			    text_of(nv.value));
			nghttp3_rcbuf_decref(nv.name);
			nghttp3_rcbuf_decref(nv.value);
			/* Nothing that follows would change this verdict. */
			if (h->head.error.status == WK_E_LIMIT)
				return WK_OK;
		} else if ((flags & NGHTTP3_QPACK_DECODE_FLAG_FINAL) != 0) {
			return WK_OK;
		} else if (n == 0) {
			return WK_E_MALFORMED;
		}
	}
}

int
http3_decode(struct http3 *h, const uint8_t *block, size_t len)
{
	nghttp3_qpack_stream_context *context;
	int rc;

	if (len < 2)	/* the prefix is not whole */
		return WK_E_MALFORMED;
	if (nghttp3_qpack_stream_context_new(&context, 0,
	    nghttp3_mem_default()) != 0)
		return WK_E_NOMEM;
	rc = decode_with(h, context, block, len);
	nghttp3_qpack_stream_context_del(context);
	return rc;
}

/* --- the peer's QPACK streams (RFC 9204, section 4) ----------------------- */

/*
 * Of an encoder's instructions, only Set Dynamic Table Capacity to 0 makes
 * sense where there may be no dynamic table.
 */
void
http3_encoder_data(struct http3 *h, uint64_t id, const uint8_t *data,
    size_t len, bool is_last)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (data[i] != 0x20) {
			http3_fail(h, WK_H3ERROR_QPACK_ENCODER_STREAM,
			    "an instruction for a dynamic table");
			return;
		}
	if (len > 0) {
		h->transport->ops->consume(h->transport, id, len);
		http3_spend_chatter(h);
	}
	if (is_last)
		http3_critical_closed(h, id, WK_H3ERROR_NO_ERROR);
}

/* Octets that a number of 62 bits can have behind its prefix. */
#define NUMBER_MAX 10

/*
 * A decoder may cancel streams, whose numbers do not matter here; there is
 * nothing that it could acknowledge.
 */
void
http3_decoder_data(struct http3 *h, uint64_t id, const uint8_t *data,
    size_t len, bool is_last)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (h->decoder_number > 0) {
			h->decoder_number = (data[i] & 0x80) == 0 ? 0 :
			    h->decoder_number + 1;
		} else if ((data[i] & 0xc0) == 0x40) {
			h->decoder_number = (data[i] & 0x3f) == 0x3f;
		} else {
			h->decoder_number = NUMBER_MAX + 1;
		}
		if (h->decoder_number > NUMBER_MAX) {
			http3_fail(h, WK_H3ERROR_QPACK_DECODER_STREAM,
			    "an instruction for a dynamic table");
			return;
		}
	}
	if (len > 0) {
		h->transport->ops->consume(h->transport, id, len);
		http3_spend_chatter(h);
	}
	if (is_last)
		http3_critical_closed(h, id, WK_H3ERROR_NO_ERROR);
}
