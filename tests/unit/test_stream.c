/* SPDX-License-Identifier: MIT */
/* The capsule layer of streams, above a session that only notes. */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/net/session_parts.h"

#define QUEUE_MAX 64
#define DATAGRAM_MAX 8

struct fake {
	struct wk_session session;
	struct wk_stream stream;
	uint8_t sent[256];
	size_t n_sent, room;
	bool is_closed_for_writing;
	enum wk_stream_code code;
	char reset[256];		/* its reason; "": not reset */
	char heard[512];
	const char *reset_at;		/* in this event the owner resets */
};

static struct fake *
fake_of(const struct wk_stream *s)
{
	return wk_stream_arg(s);
}

static ssize_t
fake_write(struct wk_stream *s, const void *data, size_t len)
{
	struct fake *f = fake_of(s);

	if (f->is_closed_for_writing)
		return WK_E_INVALID;
	len = len < f->room ? len : f->room;
	assert_true(f->n_sent + len <= sizeof(f->sent));
	memcpy(f->sent + f->n_sent, data, len);
	f->n_sent += len;
	f->room -= len;
	return (ssize_t)len;
}

static size_t
fake_room(const struct wk_stream *s)
{
	return fake_of(s)->room;
}

static size_t
fake_queued(const struct wk_stream *s)
{
	return fake_of(s)->n_sent;
}

static int
fake_finish(struct wk_stream *s)
{
	fake_of(s)->is_closed_for_writing = true;
	return WK_OK;
}

static void
fake_consume(struct wk_stream *s, size_t octets)
{
	(void)s;
	fail_msg("%zu octets consumed that the layer consumes itself", octets);
}

static void
fake_reset(struct wk_stream *s, enum wk_stream_code code, const char *reason)
{
	struct fake *f = fake_of(s);

	assert_string_equal(f->reset, "");
	f->code = code;
	snprintf(f->reset, sizeof(f->reset), "%s", reason);
}

/* --- the owner ------------------------------------------------------------ */

static void __attribute__((format(printf, 2, 3)))
hear(struct wk_stream *s, const char *format, ...)
{
	struct fake *f = fake_of(s);
	size_t n = strlen(f->heard);
	va_list ap;

	va_start(ap, format);
	vsnprintf(f->heard + n, sizeof(f->heard) - n, format, ap);
	va_end(ap);
	if (f->reset_at != NULL && strstr(f->heard + n, f->reset_at) != NULL)
		wk_stream_reset(s, WK_STREAM_CANCEL, "the owner has enough");
}

static void
on_datagram(struct wk_stream *s, const uint8_t *data, size_t len)
{
	hear(s, "[%.*s]", (int)len, len > 0 ? (const char *)data : "");
}

/* Pieces of a value are joined, however it was cut. */
static void
on_capsule(struct wk_stream *s, enum wk_capsule_event event,
    const struct wk_capsule *cap)
{
	if (event == WK_CAPSULE_START)
		hear(s, "%x:", (unsigned)cap->type);
	else if (event == WK_CAPSULE_DATA)
		hear(s, "%.*s", (int)cap->data_len, (const char *)cap->data);
	else
		hear(s, ";");
}

static void
on_end(struct wk_stream *s)
{
	hear(s, "end");
}

static void
on_writable(struct wk_stream *s)
{
	hear(s, "writable");
}

static void
on_closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	hear(s, "closed%s", end != NULL ? "!" : "");
}

static const struct wk_stream_handler handler = {
	.datagram = on_datagram, .capsule = on_capsule, .end = on_end,
	.writable = on_writable, .closed = on_closed,
};

static const struct wk_session_ops session_ops = { .version = WK_HTTP_2 };
static const struct wk_stream_ops stream_ops = {
	.write = fake_write, .queued = fake_queued, .room = fake_room,
	.finish = fake_finish, .consume = fake_consume, .reset = fake_reset,
};

static void
fake_init(struct fake *f)
{
	memset(f, 0, sizeof(*f));
	f->room = QUEUE_MAX;
	f->session.ops = &session_ops;
	f->session.limits.max_queued = QUEUE_MAX;
	wk_stream_attach(&f->session, &f->stream, &stream_ops, 4);
	wk_stream_handle(&f->stream, &handler, f);
	assert_int_equal(wk_stream_use_capsules(&f->stream, DATAGRAM_MAX),
	    WK_OK);
}

static void
fake_close(struct fake *f)
{
	const struct wk_stream_end end = { .reason = "" };

	wk_stream_deliver_closed(&f->stream, f->reset[0] != '\0' ? &end : NULL);
	assert_int_equal(f->session.n_streams, 0);
	assert_null(f->stream.capsules);
}

/* --- in ------------------------------------------------------------------- */

static const struct {
	const char *name, *in, *heard;
	const char *reset;		/* what its reason has in it */
	uint64_t oversized;
} arrivals[] = {
	{ "nothing", "", "end", NULL, 0 },
	{ "an empty datagram", "0000", "[]end", NULL, 0 },
	{ "datagrams", "000161 0000 00026263", "[a][][bc]end", NULL, 0 },
	{ "long forms", "40008000000161 c0000000000000004000",
	    "[a][]end", NULL, 0 },
	{ "as large as it may be", "00086162636465666768", "[abcdefgh]end",
	    NULL, 0 },
	{ "one octet too large", "0009616263646566676869 000161",
	    "[a]end", NULL, 1 },
	{ "two of those", "000a61626364656667686970 0009616263646566676869",
	    "end", NULL, 2 },
	{ "other types", "1703616263 0001 61 1700", "17:abc;[a]17:;end", NULL,
	    0 },
	{ "longer than datagrams may be", "170a30313233343536373839",
	    "17:0123456789;end", NULL, 0 },
	{ "cut in the type", "000161 40", "[a]", "byte 4: stream ends inside "
	    "a capsule header", 0 },
	{ "cut in the length", "000161 0040", "[a]", "byte 5: stream ends "
	    "inside a capsule header", 0 },
	{ "cut before the value", "000161 0001", "[a]", "byte 5: stream ends "
	    "inside a capsule value", 0 },
	{ "cut in a datagram", "000161 000261", "[a]", "byte 6: stream ends "
	    "inside a capsule value", 0 },
	{ "cut in a value", "1703 6162", "17:ab", "byte 4: stream ends inside "
	    "a capsule value", 0 },
	{ "cut in one that is skipped", "0009 6162", "", "byte 4: stream ends "
	    "inside a capsule value", 1 },
};

static void
deliver(struct fake *f, const uint8_t *in, size_t len, size_t step)
{
	struct fence piece;
	size_t n;

	for (; len > 0; in += n, len -= n) {
		n = len < step ? len : step;
		fence_init(&piece, in, n);
		assert_true(wk_stream_deliver_data(&f->stream, piece.data, n));
		fence_free(&piece);
	}
	wk_stream_deliver_end(&f->stream);
}

static void
test_arrivals_in_any_pieces(void **state)
{
	struct fake f;
	uint8_t in[64];
	size_t i, len, step;

	(void)state;
	for (i = 0; i < sizeof(arrivals) / sizeof(arrivals[0]); i++) {
		len = unhex(arrivals[i].in, in, sizeof(in));
		for (step = 1; step <= len + 1; step++) {
			fake_init(&f);
			deliver(&f, in, len, step);
			if (strcmp(f.heard, arrivals[i].heard) != 0 ||
			    wk_stream_oversized(&f.stream) !=
			    arrivals[i].oversized)
				fail_msg("%s in pieces of %zu: %s",
				    arrivals[i].name, step, f.heard);
			if (arrivals[i].reset == NULL ? f.reset[0] != '\0' :
			    strstr(f.reset, arrivals[i].reset) == NULL ||
			    f.code != WK_STREAM_MALFORMED)
				fail_msg("%s in pieces of %zu: reset \"%s\"",
				    arrivals[i].name, step, f.reset);
			fake_close(&f);
		}
	}
}

/* Nothing follows a reset, wherever in the octets at hand it comes. */
static void
test_reset_in_an_event(void **state)
{
	static const struct {
		const char *at, *heard;
	} cases[] = {
		{ "[a]", "[a]" }, { "[]", "[a][]" }, { "17:", "[a][]17:" },
		{ "xy", "[a][]17:xy" }, { ";", "[a][]17:xy;" },
		{ "[b]", "[a][]17:xy;[b]" },
	};
	struct fake f;
	uint8_t in[64];
	size_t i, len;

	(void)state;
	len = unhex("000161 0000 17027879 000162 000163", in, sizeof(in));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_init(&f);
		f.reset_at = cases[i].at;
		deliver(&f, in, len, len);
		assert_string_equal(f.heard, cases[i].heard);
		assert_int_equal(f.code, WK_STREAM_CANCEL);
		/* Verbs do nothing then. */
		assert_int_equal(wk_stream_send_datagram(&f.stream, "x", 1),
		    WK_STREAM_CLOSED);
		assert_int_equal(wk_stream_write(&f.stream, "x", 1),
		    WK_E_INVALID);
		assert_int_equal(wk_stream_finish(&f.stream), WK_E_INVALID);
		assert_int_equal(wk_stream_use_capsules(&f.stream, 1),
		    WK_E_INVALID);
		assert_int_equal(wk_stream_room(&f.stream), 0);
		assert_int_equal(wk_stream_queued(&f.stream), 0);
		assert_int_equal(wk_stream_datagram_max(&f.stream), 0);
		wk_stream_reset(&f.stream, WK_STREAM_INTERNAL, "again");
		wk_stream_consume(&f.stream, 1);
		f.reset_at = NULL;
		wk_stream_deliver_writable(&f.stream);
		wk_stream_deliver_datagram(&f.stream, (const uint8_t *)"x", 1);
		assert_string_equal(f.heard, cases[i].heard);
		fake_close(&f);
		assert_string_equal(f.heard + strlen(cases[i].heard),
		    "closed!");
	}
}

/* Who listens to nothing hears nothing, and nothing breaks. */
static void
test_owners_that_do_not_care(void **state)
{
	static const struct wk_stream_handler deaf = { .data = NULL };
	struct fake f;
	uint8_t in[16];
	size_t len = unhex("000161 1700 0000", in, sizeof(in));

	(void)state;
	fake_init(&f);
	wk_stream_handle(&f.stream, &deaf, &f);
	deliver(&f, in, len, 1);
	wk_stream_handle(&f.stream, NULL, &f);
	deliver(&f, in, len, 1);
	fake_close(&f);
	assert_string_equal(f.heard, "");
}

/* --- out ------------------------------------------------------------------ */

static void
test_datagrams_go_whole_or_not_at_all(void **state)
{
	static const uint8_t data[QUEUE_MAX] = { 1, 2, 3 };
	struct wk_stream *s;
	struct fake f;
	size_t max;

	(void)state;
	fake_init(&f);
	s = &f.stream;
	assert_int_equal(wk_stream_send_datagram(s, data, 3), WK_STREAM_SENT);
	assert_int_equal(f.n_sent, 5);
	assert_memory_equal(f.sent, "\0\3\1\2\3", 5);
	assert_int_equal(wk_stream_send_datagram(s, NULL, 0), WK_STREAM_SENT);
	assert_memory_equal(f.sent + 5, "\0\0", 2);
	/* No room for all of it: nothing goes, and writable follows once. */
	f.room = 9;
	assert_int_equal(wk_stream_send_datagram(s, data, 8),
	    WK_STREAM_BLOCKED);
	assert_int_equal(f.n_sent, 7);
	wk_stream_deliver_writable(s);
	wk_stream_deliver_writable(s);
	assert_string_equal(f.heard, "writable");
	f.room = 10;
	assert_int_equal(wk_stream_send_datagram(s, data, 8), WK_STREAM_SENT);
	assert_int_equal(f.room, 0);
	wk_stream_deliver_writable(s);
	assert_string_equal(f.heard, "writable");
	/* More than there will ever be room for. */
	f.room = QUEUE_MAX;
	max = wk_stream_datagram_max(s);
	assert_true(max > 0 && max < QUEUE_MAX);
	assert_int_equal(wk_stream_send_datagram(s, data, max),
	    WK_STREAM_SENT);
	f.room = QUEUE_MAX;
	assert_int_equal(wk_stream_send_datagram(s, data, QUEUE_MAX - 2),
	    WK_STREAM_SENT);
	f.room = QUEUE_MAX;
	assert_int_equal(wk_stream_send_datagram(s, data, QUEUE_MAX - 1),
	    WK_STREAM_TOO_BIG);
	/* Finished. */
	f.n_sent = 0;
	assert_int_equal(wk_stream_finish(s), WK_OK);
	assert_int_equal(wk_stream_send_datagram(s, data, 1),
	    WK_STREAM_CLOSED);
	assert_int_equal(f.n_sent, 0);
	fake_close(&f);
}

static void
test_capsules_as_they_are_wanted(void **state)
{
	struct wk_capsule cap = {
		.type = 0x17, .length = 2, .type_octets = 2,
		.length_octets = 4,
	};
	struct fake f;

	(void)state;
	fake_init(&f);
	assert_int_equal(wk_stream_send_capsule(&f.stream, &cap, "xy"),
	    WK_STREAM_SENT);
	assert_int_equal(f.n_sent, 8);
	assert_memory_equal(f.sent, "\x40\x17\x80\0\0\2xy", 8);
	/* What cannot be written at all. */
	cap.type = UINT64_MAX;
	assert_int_equal(wk_stream_send_capsule(&f.stream, &cap, "xy"),
	    WK_STREAM_TOO_BIG);
	/* The layer is there once. */
	assert_int_equal(wk_stream_use_capsules(&f.stream, 1), WK_E_INVALID);
	fake_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arrivals_in_any_pieces),
		cmocka_unit_test(test_reset_in_an_event),
		cmocka_unit_test(test_owners_that_do_not_care),
		cmocka_unit_test(test_datagrams_go_whole_or_not_at_all),
		cmocka_unit_test(test_capsules_as_they_are_wanted),
	};

	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
