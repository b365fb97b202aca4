/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/http3_peer.h"

#include <inttypes.h>

#include <nghttp3/nghttp3.h>

#include "common/net/loop.h"

/* --- the owner ------------------------------------------------------------ */

static struct peer *
peer_of(struct wk_stream *s)
{
	struct peer *p = wk_session_arg(wk_stream_session(s));

	if (p->in_verb > 0)
		fail_msg("an event inside a verb");
	return p;
}

static void __attribute__((format(printf, 2, 3)))
note(struct peer *p, const char *format, ...)
{
	va_list ap;

	if (p->log.len > 0)
		wk_buf_printf(&p->log, "; ");
	va_start(ap, format);
	wk_buf_vprintf(&p->log, format, ap);
	va_end(ap);
}

static void
note_head(struct peer *p, const char *what, const struct wk_message *m)
{
	size_t i;

	if (wk_message_is_request(m))
		note(p, "%s %.*s %.*s %.*s", what, (int)m->method.len,
		    m->method.at, (int)m->authority.len, m->authority.at,
		    (int)m->path.len, m->path.at);
	else
		note(p, "%s %u%s", what, m->status,
		    m->opens_tunnel ? " opens" : "");
	if (m->protocol.len > 0)
		wk_buf_printf(&p->log, " for %.*s", (int)m->protocol.len,
		    m->protocol.at);
	for (i = 0; i < m->n_fields; i++)
		wk_buf_printf(&p->log, " %.*s=%.*s",
		    (int)m->fields[i].name.len, m->fields[i].name.at,
		    (int)m->fields[i].value.len, m->fields[i].value.at);
}

static void
on_informational(struct wk_stream *s, const struct wk_message *m)
{
	note_head(peer_of(s), "inform", m);
}

static void
on_head(struct wk_stream *s, const struct wk_message *m)
{
	struct peer *p = peer_of(s);

	note_head(p, "head", m);
	if (m->opens_tunnel && p->uses_capsules)
		assert_int_equal(wk_stream_use_capsules(s, 1500), WK_OK);
}

static void
on_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct peer *p = peer_of(s);

	(void)data;
	assert_true(len > 0);
	note(p, "data %zu", len);
	if (!p->keeps) {
		p->in_verb++;
		wk_stream_consume(s, len);
		p->in_verb--;
	}
	if (p->on_data != NULL)
		p->on_data(p, s);
}

static void
on_datagram(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct peer *p = peer_of(s);
	size_t i;

	note(p, "datagram \"");
	for (i = 0; i < len; i++)
		wk_buf_printf(&p->log, "%c", data[i] == 0 ? '.' : data[i]);
	wk_buf_printf(&p->log, "\"");
}

static void
on_end(struct wk_stream *s)
{
	note(peer_of(s), "end");
}

static void
on_writable(struct wk_stream *s)
{
	note(peer_of(s), "writable");
}

static void
on_closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	struct peer *p = peer_of(s);

	if (end == NULL) {
		note(p, "closed");
	} else {
		assert_non_null(end->reason);
		assert_true(end->reason[0] != '\0');
		note(p, "%s %d", end->is_ours ? "ours" : "theirs", end->code);
	}
	if (p->s == s)
		p->s = NULL;
	if (p->on_closed != NULL)
		p->on_closed(p);
}

const struct wk_stream_handler peer_handler = {
	.informational = on_informational,
	.head = on_head,
	.data = on_data,
	.datagram = on_datagram,
	.end = on_end,
	.writable = on_writable,
	.closed = on_closed,
};

static void
on_request(struct wk_session *session, struct wk_stream *s,
    const struct wk_message *m)
{
	struct peer *p = wk_session_arg(session);

	assert_int_equal(p->in_verb, 0);
	p->s = s;
	note_head(p, "request", m);
	if (p->request != NULL)
		p->request(p, s, m);
	else
		wk_stream_handle(s, &peer_handler, p);
}

static void
on_draining(struct wk_session *session)
{
	note(wk_session_arg(session), "draining");
}

static void
on_trace(struct wk_session *session, enum wk_trace kind, uint64_t id,
    const char *text)
{
	struct peer *p = wk_session_arg(session);

	wk_buf_printf(&p->traced, "%c%" PRIu64 " %s\n", "*><FR"[kind], id,
	    text);
}

/* --- life ----------------------------------------------------------------- */

struct peer *
peer_new(bool is_server, const struct wk_session_limits *limits)
{
	const nghttp3_mem *mem = nghttp3_mem_default();
	struct wk_session_limits defaults;
	struct peer *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	wk_session_limits_default(&defaults);
	limits = limits != NULL ? limits : &defaults;
	p->handler = (struct wk_session_handler){
		.request = on_request,
		.draining = on_draining,
		.trace = on_trace,
		.trace_level = 2,
	};
	wk_buf_init(&p->log, 1 << 20);
	wk_buf_init(&p->traced, 64 << 20);
	p->now_ns = 1000 * PEER_SEC;
	fake_init(&p->ours, is_server);
	fake_init(&p->theirs, !is_server);
	fake_join(&p->ours, &p->theirs);
	p->ours.stream_window = limits->window;
	p->ours.max_queued = limits->max_queued + 64;
	p->theirs.max_streams[0] = limits->max_streams;
	p->theirs.max_queued = SIZE_MAX / 2;
	p->control = UINT64_MAX;
	assert_int_equal(nghttp3_qpack_encoder_new(&p->encoder, 0, mem), 0);
	assert_int_equal(nghttp3_qpack_decoder_new(&p->decoder, 0, 0, mem), 0);
	p->session = wk_http3_session_new(is_server, limits, &p->handler, p,
	    &p->ours.base, p->now_ns);
	assert_non_null(p->session);
	return p;
}

void
peer_delete(struct peer *p)
{
	wk_session_del(p->session);
	p->session = NULL;
}

void
peer_del(struct peer *p)
{
	wk_session_del(p->session);
	assert_null(p->ours.base.handler);
	nghttp3_qpack_encoder_del(p->encoder);
	nghttp3_qpack_decoder_del(p->decoder);
	fake_free(&p->ours);
	fake_free(&p->theirs);
	wk_buf_free(&p->log);
	wk_buf_free(&p->traced);
	free(p);
}

struct peer *
peer_greeted(bool is_server, const struct wk_session_limits *limits,
    const char *settings)
{
	struct peer *p = peer_new(is_server, limits);
	char hex[200];

	snprintf(hex, sizeof(hex), "0004%02zx%s", strlen(settings) / 2,
	    settings);
	p->control = peer_open(p, true, hex);
	return p;
}

/* --- time and octets ------------------------------------------------------ */

static bool
tell_time(struct peer *p)
{
	if (p->session == NULL ||
	    wk_session_deadline_ns(p->session) > p->now_ns)
		return false;
	wk_session_expire(p->session, p->now_ns);
	if (p->session != NULL)
		assert_true(wk_session_deadline_ns(p->session) > p->now_ns);
	return true;
}

void
peer_run(struct peer *p)
{
	bool has_moved;
	unsigned n = 0;

	do {
		has_moved = tell_time(p);
		has_moved |= fake_send(&p->theirs, p->piece, p->now_ns, 0);
		has_moved |= fake_receive(&p->ours, p->now_ns);
		if (!p->is_deaf)
			has_moved |= fake_send(&p->ours, p->piece, p->now_ns,
			    0);
		has_moved |= fake_receive(&p->theirs, p->now_ns);
		assert_true(++n < 10000000);
	} while (has_moved);
}

void
peer_pass(struct peer *p, uint64_t ns)
{
	uint64_t until = p->now_ns + ns, next;

	peer_run(p);
	while (p->session != NULL &&
	    (next = wk_session_deadline_ns(p->session)) <= until) {
		p->now_ns = next > p->now_ns ? next : p->now_ns;
		peer_run(p);
	}
	p->now_ns = until;
	peer_run(p);
}

void
peer_send(struct peer *p, uint64_t id, const void *octets, size_t len,
    bool finishes)
{
	const struct iovec part = { (void *)(uintptr_t)octets, len };
	struct wk_transport *t = &p->theirs.base;

	t->ops->write(t, id, &part, 1);
	if (finishes)
		t->ops->finish(t, id);
	peer_run(p);
}

void
peer_hex(struct peer *p, uint64_t id, const char *hex, bool finishes)
{
	static uint8_t octets[4096];

	peer_send(p, id, octets, unhex(hex, octets, sizeof(octets)), finishes);
}

uint64_t
peer_open(struct peer *p, bool is_uni, const char *hex)
{
	uint64_t id;

	assert_int_equal(p->theirs.base.ops->open(&p->theirs.base, is_uni,
	    &id), WK_OK);
	if (hex != NULL)
		peer_hex(p, id, hex, false);
	return id;
}

void
peer_frame(struct peer *p, uint64_t id, uint64_t type, const void *payload,
    size_t len, bool finishes)
{
	struct wk_buf b;

	wk_buf_init(&b, 1 << 24);
	wk_varint_append(&b, type, 0);
	wk_varint_append(&b, len, 0);
	wk_buf_append(&b, payload, len);
	peer_send(p, id, b.data, b.len, finishes);
	wk_buf_free(&b);
}

void
peer_head(struct peer *p, uint64_t id, const char *lines, bool finishes)
{
	const nghttp3_mem *mem = nghttp3_mem_default();
	nghttp3_buf prefix, section, instructions;
	const char *colon, *end;
	nghttp3_nv nv[400];
	struct wk_buf b;
	size_t n = 0;

	while (*lines != '\0') {
		colon = strstr(lines + 1, ": ");
		end = strchr(lines, '\n');
		assert_true(colon != NULL && end != NULL && n < 400);
		nv[n++] = (nghttp3_nv){
			.name = (uint8_t *)(uintptr_t)lines,
			.value = (uint8_t *)(uintptr_t)(colon + 2),
			.namelen = (size_t)(colon - lines),
			.valuelen = (size_t)(end - colon - 2),
		};
		lines = end + 1;
	}
	nghttp3_buf_init(&prefix);
	nghttp3_buf_init(&section);
	nghttp3_buf_init(&instructions);
	assert_int_equal(nghttp3_qpack_encoder_encode(p->encoder, &prefix,
	    &section, &instructions, 0, nv, n), 0);
	wk_buf_init(&b, 1 << 20);
	wk_buf_append(&b, prefix.pos, nghttp3_buf_len(&prefix));
	wk_buf_append(&b, section.pos, nghttp3_buf_len(&section));
	peer_frame(p, id, WK_H3FRAME_HEADERS, b.data, b.len, finishes);
	wk_buf_free(&b);
	nghttp3_buf_free(&prefix, mem);
	nghttp3_buf_free(&section, mem);
	nghttp3_buf_free(&instructions, mem);
}

void
peer_reset(struct peer *p, uint64_t id, uint64_t code)
{
	p->theirs.base.ops->reset(&p->theirs.base, id, code);
	peer_run(p);
}

void
peer_stop(struct peer *p, uint64_t id, uint64_t code)
{
	p->theirs.base.ops->stop(&p->theirs.base, id, code);
	peer_run(p);
}

void
peer_datagram(struct peer *p, const char *hex)
{
	uint8_t octets[2000];
	const struct iovec part = { octets, unhex(hex, octets,
	    sizeof(octets)) };

	assert_int_equal(p->theirs.base.ops->send_datagram(&p->theirs.base,
	    &part, 1), WK_TRANSPORT_SENT);
	peer_run(p);
}

/* --- what was heard ------------------------------------------------------- */

/* ":status" or ":method" of a field section. */
static void
describe_head(struct peer *p, struct wk_buf *b, const uint8_t *in, size_t len)
{
	nghttp3_qpack_stream_context *context;
	nghttp3_qpack_nv nv;
	nghttp3_vec name, value;
	uint8_t flags;
	int64_t n;

	assert_int_equal(nghttp3_qpack_stream_context_new(&context, 0,
	    nghttp3_mem_default()), 0);
	do {
		flags = 0;
		n = nghttp3_qpack_decoder_read_request(p->decoder, context,
		    &nv, &flags, in, len, 1);
		assert_true(n >= 0);
		in += n;
		len -= (size_t)n;
		if ((flags & NGHTTP3_QPACK_DECODE_FLAG_EMIT) == 0)
			continue;
		name = nghttp3_rcbuf_get_buf(nv.name);
		value = nghttp3_rcbuf_get_buf(nv.value);
		if (strcmp((char *)name.base, ":status") == 0 ||
		    strcmp((char *)name.base, ":method") == 0)
			wk_buf_printf(b, "HEADERS(%s) ", (char *)value.base);
		nghttp3_rcbuf_decref(nv.name);
		nghttp3_rcbuf_decref(nv.value);
	} while ((flags & NGHTTP3_QPACK_DECODE_FLAG_FINAL) == 0);
	nghttp3_qpack_stream_context_del(context);
}

static void
describe_frames(struct peer *p, struct wk_buf *b, const uint8_t *in,
    size_t len)
{
	struct wk_h3frame_reader r;
	enum wk_h3frame_event event;
	const uint8_t *payload = NULL;
	struct wk_h3frame f;

	wk_h3frame_reader_init(&r);
	while ((event = wk_h3frame_read(&r, &in, &len, &f)) !=
	    WK_H3FRAME_MORE) {
		if (event == WK_H3FRAME_PAYLOAD)
			payload = f.data;
		if (event != WK_H3FRAME_END)
			continue;
		if (f.type == WK_H3FRAME_HEADERS)
			describe_head(p, b, payload, (size_t)f.length);
		else
			wk_buf_printf(b, "%s(%" PRIu64 ") ",
			    wk_h3frame_name(f.type), f.length);
	}
	assert_int_equal(wk_h3frame_reader_finish(&r, NULL), WK_OK);
}

const char *
peer_heard(struct peer *p, uint64_t id)
{
	const struct fake_stream *s = fake_stream(&p->theirs, id);
	static struct wk_buf b;

	wk_buf_free(&b);
	wk_buf_init(&b, 1 << 16);
	if (s != NULL) {
		describe_frames(p, &b, s->in.data, s->in.len);
		if (s->in_fin)
			wk_buf_printf(&b, "FIN ");
		if (s->in_stop)
			wk_buf_printf(&b, "STOP(%" PRIx64 ") ",
			    s->in_stop_code);
		if (s->in_reset)
			wk_buf_printf(&b, "RESET(%" PRIx64 ") ",
			    s->in_reset_code);
	}
	b.len -= b.len > 0;
	wk_buf_append(&b, "", 1);
	return (const char *)b.data;
}

void
peer_expect_heard(struct peer *p, uint64_t id, const char *want)
{
	const char *got = peer_heard(p, id);

	if (strcmp(got, want) != 0)
		fail_msg("stream %" PRIu64 " had: %s\nbut not: %s", id, got,
		    want);
}

const char *
peer_heard_datagram(struct peer *p)
{
	struct wk_buf *b = &p->theirs.heard;
	static char hex[4000];
	size_t len, i;

	hex[0] = '\0';
	if (b->len == 0)
		return hex;
	len = (size_t)b->data[2] << 8 | b->data[3];
	for (i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", b->data[4 + i]);
	b->len -= 4 + len;
	memmove(b->data, b->data + 4 + len, b->len);
	return hex;
}

void
peer_expect(struct peer *p, const char *events)
{
	wk_buf_append(&p->log, "", 1);
	if (strcmp((const char *)p->log.data, events) != 0)
		fail_msg("heard: %s\nbut not: %s", (const char *)p->log.data,
		    events);
	wk_buf_clear(&p->log);
}

void
peer_expect_close(struct peer *p, uint64_t code)
{
	struct wk_error error = { .status = WK_OK };

	if (p->theirs.was_closed_code != code)
		fail_msg("closed with %" PRIx64 " and not %" PRIx64 " (%s)",
		    p->theirs.was_closed_code, code, p->ours.close_reason);
	if (code == 0) {
		assert_false(p->theirs.was_closed);
		return;
	}
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_CLOSE);
	assert_int_not_equal(wk_session_receive(p->session, NULL, 0,
	    p->now_ns, &error), WK_OK);
	assert_string_equal(error.reason, p->ours.close_reason);
	assert_true(error.reason[0] != '\0');
	assert_int_equal(wk_session_deadline_ns(p->session), WK_NEVER);
	assert_int_equal(wk_session_streams(p->session), 0);
}

/* --- verbs ---------------------------------------------------------------- */

struct wk_stream *
peer_request(struct peer *p, const char *method, const char *protocol,
    bool has_body)
{
	const struct wk_message m = {
		.method = wk_str_of(method),
		.protocol = wk_str_of(protocol),
		.scheme = wk_str_of("https"),
		.authority = wk_str_of("example.org"),
		.path = wk_str_of("/"),
	};
	struct wk_stream *s;

	p->in_verb++;
	s = wk_session_request(p->session, &m, has_body, &peer_handler, p,
	    &p->error);
	p->in_verb--;
	if (s != NULL)
		p->s = s;
	peer_run(p);
	return s;
}

int
peer_respond(struct peer *p, struct wk_stream *s, unsigned status, bool is_last)
{
	const struct wk_message m = { .status = (uint16_t)status };
	int rc;

	p->in_verb++;
	rc = wk_stream_respond(s, &m, is_last, &p->error);
	p->in_verb--;
	return rc;
}
