/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/wait.h>

#include "common/base/text.h"
#include "common/cli/framing.h"
#include "common/cli/jsonread.h"
#include "common/cli/out.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT(s) (s), sizeof(s) - 1

/* --- reading -------------------------------------------------------------- */

static const struct {
	enum wk_framing framing;
	const char *in;
	size_t len, max;
	/* Datagrams in hexadecimal with ";", "@id" for a context; "!where". */
	const char *want;
} cases[] = {
	{ WK_FRAMING_LINE, TEXT("a\nbc\n"), 8, "61;6263;" },
	{ WK_FRAMING_LINE, TEXT("a\n\nbc"), 8, "61;;6263;" },
	{ WK_FRAMING_LINE, TEXT(""), 8, "" },
	{ WK_FRAMING_LINE, TEXT("\n"), 8, ";" },
	{ WK_FRAMING_LINE, TEXT("a\r\nb\0c\n"), 8, "610d;620063;" },
	{ WK_FRAMING_LINE, TEXT("abc\nabcd\nab\n"), 3, "616263;!2;6162;" },
	{ WK_FRAMING_LINE, TEXT("abc\nabcd"), 3, "616263;!2;" },
	{ WK_FRAMING_LINE, TEXT("abcd\nabcd\na\nabcde"), 3, "!1;!2;61;!4;" },
	{ WK_FRAMING_HEX, TEXT("6869\n\n00 ff:01\r\n"), 8,
	    "6869;;00ff01;" },
	{ WK_FRAMING_HEX, TEXT("# all\n68 # some\n69"), 8, "68;69;" },
	{ WK_FRAMING_HEX, TEXT("0x6869\n6\n6g\n69\n"), 8,
	    "6869;!2;!3;69;" },
	{ WK_FRAMING_HEX, TEXT("010203\n01020304\n01\n"), 3,
	    "010203;!2;01;" },
	{ WK_FRAMING_U16, TEXT("\0\2hi\0\0\0\1x"), 8, "6869;;78;" },
	{ WK_FRAMING_U16, TEXT("\0\2hi\0\4abcd\0\1x"), 3, "6869;!4;78;" },
	{ WK_FRAMING_U16, TEXT("\0\2hi\0"), 8, "6869;!5;" },
	{ WK_FRAMING_U16, TEXT("\0\2hi\0\3x"), 8, "6869;!7;" },
	{ WK_FRAMING_U16, TEXT("\0\1x\1\0"), 300, "78;!5;" },
	{ WK_FRAMING_VARINT, TEXT("\2hi\0\100\1x"), 8, "6869;;78;" },
	{ WK_FRAMING_VARINT, TEXT("\2hi\4abcd\1x"), 3, "6869;!3;78;" },
	{ WK_FRAMING_VARINT, TEXT("\2hi\300\0\0"), 8, "6869;!6;" },
	{ WK_FRAMING_VARINT, TEXT("\377\377\377\377\377\377\377\377xy"), 8,
	    "!0;!10;" },
	{ WK_FRAMING_WHOLE, TEXT("a\nb"), 8, "610a62;" },
	{ WK_FRAMING_WHOLE, TEXT(""), 8, ";" },
	{ WK_FRAMING_WHOLE, TEXT("abcd"), 3, "!0;" },
	{ WK_FRAMING_RAW, TEXT(""), 8, "" },
	{ WK_FRAMING_NDJSON, TEXT("{\"payload_hex\":\"6869\"}\n\n \t\n"
	    "{\"payload\":\"h\xc3\xa9\",\"event\":\"datagram\"}\n"
	    "{\"event\":\"error\",\"message\":1}\n"
	    "{\"payload_b64\":\"aGk=\",\"context_id\":7}"), 8,
	    "6869;68c3a9;6869@7;" },
	{ WK_FRAMING_NDJSON, TEXT("{\n[]\n{}\n{\"payload\":1}\n"
	    "{\"payload_hex\":\"6\"}\n{\"payload\":\"x\",\"context_id\":-1}\n"
	    "{\"payload\":\"x\",\"payload\":\"x\"}\n{\"payload\":\"x\"}\n"), 8,
	    "!1;!2;!3;!4;!5;!6;!7;78;" },
	{ WK_FRAMING_NDJSON, TEXT("{\"payload\":\"abcd\"}\n"
	    "{\"payload_hex\":\"01020304\"}\n{\"payload_b64\":\"AQIDBA==\"}\n"
	    "{\"payload\":\"a\\u0000\"}\n"), 3, "!1;!2;!3;6100;" },
	{ WK_FRAMING_NDJSON, TEXT("{\"payload\":\"\","
	    "\"context_id\":4611686018427387904,"
	    "\"context_id_str\":\"4611686018427387903\"}\n"
	    "{\"payload\":\"\",\"context_id\":4611686018427387904}\n"
	    "{\"payload\":\"\",\"context_id\":1,\"context_id_str\":1}\n"), 8,
	    "@4611686018427387903;!2;!3;" },
};

static void
note(struct wk_buf *b, const struct wk_framing_reader *r, int event,
    const struct wk_framing_datagram *d)
{
	if (event < 0) {
		assert_int_equal(event, r->error.status);
		assert_true(strlen(r->error.reason) > 0);
		wk_buf_printf(b, "!%" PRIu64 ";", r->error.offset);
		return;
	}
	wk_hex_append(b, d->data, d->len);
	if (d->has_context)
		wk_buf_printf(b, "@%" PRIu64, d->context_id);
	wk_buf_append(b, ";", 1);
}

static void
transcript(size_t i, size_t step, struct wk_buf *b)
{
	struct wk_framing_reader r;
	struct wk_framing_datagram d;
	struct fence f;
	size_t at, n, left;
	const uint8_t *in;
	int event;

	wk_buf_clear(b);
	wk_framing_reader_init(&r, cases[i].framing, cases[i].max);
	for (at = 0; at < cases[i].len; at += n) {
		n = step < cases[i].len - at ? step : cases[i].len - at;
		fence_init(&f, cases[i].in + at, n);
		in = f.data;
		left = n;
		while ((event = wk_framing_read(&r, &in, &left, &d)) !=
		    WK_FRAMING_MORE)
			note(b, &r, event, &d);
		assert_int_equal(left, 0);
		fence_free(&f);
	}
	while ((event = wk_framing_finish(&r, &d)) != WK_FRAMING_MORE)
		note(b, &r, event, &d);
	assert_int_equal(wk_framing_finish(&r, &d), WK_FRAMING_MORE);
	wk_framing_reader_free(&r);
	wk_buf_append(b, "", 1);
}

static void
test_any_split(void **state)
{
	struct wk_buf b;
	size_t i, step;

	(void)state;
	wk_buf_init(&b, 4096);
	for (i = 0; i < N_OF(cases); i++)
		for (step = 1; step <= cases[i].len + 1; step++) {
			transcript(i, step, &b);
			if (strcmp((char *)b.data, cases[i].want) != 0)
				fail_msg("%s, case %zu, in pieces of %zu: %s",
				    wk_framing_names[cases[i].framing], i,
				    step, (char *)b.data);
		}
	wk_buf_free(&b);
}

static void
test_raw_is_cut_at_the_limit(void **state)
{
	const uint8_t *in = (const uint8_t *)"abcdefg";
	struct wk_framing_reader r;
	struct wk_framing_datagram d;
	size_t len = 7;

	(void)state;
	wk_framing_reader_init(&r, WK_FRAMING_RAW, 4);
	assert_int_equal(wk_framing_read(&r, &in, &len, &d), 1);
	assert_int_equal(d.len, 4);
	assert_memory_equal(d.data, "abcd", 4);
	assert_int_equal(wk_framing_read(&r, &in, &len, &d), 1);
	assert_int_equal(d.len, 3);
	assert_int_equal(wk_framing_read(&r, &in, &len, &d), 0);
	wk_framing_reader_free(&r);
}

/* What is announced takes no memory, and what is skipped neither. */
static void
test_memory_is_bounded(void **state)
{
	static const enum wk_framing framings[] = {
		WK_FRAMING_LINE, WK_FRAMING_HEX, WK_FRAMING_NDJSON,
		WK_FRAMING_WHOLE, WK_FRAMING_VARINT,
	};
	struct wk_framing_reader r;
	struct wk_framing_datagram d;
	uint8_t chunk[4096];
	size_t i, k, len, errors;
	const uint8_t *in;

	(void)state;
	memset(chunk, 0xff, sizeof(chunk));
	for (i = 0; i < N_OF(framings); i++) {
		wk_framing_reader_init(&r, framings[i], 100);
		for (k = 0, errors = 0; k < 1000; k++) {
			in = chunk;
			len = sizeof(chunk);
			while (wk_framing_read(&r, &in, &len, &d) != 0)
				errors++;
		}
		assert_int_equal(errors, 1);
		assert_int_equal(r.error.status, WK_E_LIMIT);
		assert_true(r.text.cap + r.octets.cap < 32768);
		wk_framing_reader_free(&r);
	}
}

/* --- writing -------------------------------------------------------------- */

static int capture_fd = -1;

static void
capture_start(void)
{
	char name[] = "/tmp/wk-framing-XXXXXX";

	capture_fd = mkstemp(name);
	assert_true(capture_fd >= 0);
	unlink(name);
	wk_out_reset(capture_fd);
}

static size_t
captured(char *to, size_t size)
{
	ssize_t n;

	assert_int_equal(wk_out_flush(), WK_OK);
	n = pread(capture_fd, to, size - 1, 0);
	assert_true(n >= 0);
	to[n] = '\0';
	close(capture_fd);
	return (size_t)n;
}

static const struct {
	enum wk_framing framing;
	bool escapes;
	const char *want;
	size_t len;
} written[] = {
	{ WK_FRAMING_LINE, false, TEXT("hi\n\nx\33\n") },
	{ WK_FRAMING_LINE, true, TEXT("hi\n\nx\\x1b\n") },
	{ WK_FRAMING_RAW, false, TEXT("hix\33") },
	{ WK_FRAMING_RAW, true, TEXT("hix\33") },
	{ WK_FRAMING_WHOLE, false, TEXT("hix\33") },
	{ WK_FRAMING_HEX, false, TEXT("6869\n\n781b\n") },
	{ WK_FRAMING_U16, false, TEXT("\0\2hi\0\0\0\2x\33") },
	{ WK_FRAMING_VARINT, false, TEXT("\2hi\0\2x\33") },
	{ WK_FRAMING_NDJSON, false, TEXT(
	    "{\"event\":\"datagram\",\"length\":2,\"payload_hex\":\"6869\"}\n"
	    "{\"event\":\"datagram\",\"context_id\":5,\"length\":0,"
	    "\"payload_hex\":\"\"}\n"
	    "{\"event\":\"datagram\",\"length\":2,"
	    "\"payload_hex\":\"781b\"}\n") },
};

static void
test_writing(void **state)
{
	static const struct wk_framing_datagram given[] = {
		{ .data = (const uint8_t *)"hi", .len = 2 },
		{ .has_context = true, .context_id = 5 },
		{ .data = (const uint8_t *)"x\33", .len = 2 },
	};
	struct wk_framing_writer w;
	char got[1024];
	size_t i, k, len;

	(void)state;
	for (i = 0; i < N_OF(written); i++) {
		capture_start();
		wk_framing_writer_init(&w, written[i].framing,
		    written[i].escapes);
		for (k = 0; k < N_OF(given); k++)
			assert_int_equal(wk_framing_write(&w, &given[k]),
			    WK_OK);
		len = captured(got, sizeof(got));
		assert_int_equal(len, written[i].len);
		assert_memory_equal(got, written[i].want, len);
	}
}

static void
test_a_length_that_does_not_fit(void **state)
{
	struct wk_framing_datagram d = { .has_context = false };
	struct wk_framing_writer w;
	char got[64];

	(void)state;
	capture_start();
	wk_framing_writer_init(&w, WK_FRAMING_U16, false);
	assert_int_equal(wk_framing_write_begin(&w, &d, 65536), WK_E_LIMIT);
	assert_int_equal(wk_framing_write_begin(&w, &d, 65535), WK_OK);
	wk_framing_writer_init(&w, WK_FRAMING_VARINT, false);
	assert_int_equal(wk_framing_write_begin(&w, &d, WK_VARINT_MAX + 1),
	    WK_E_LIMIT);
	assert_int_equal(wk_framing_write_begin(&w, &d, WK_VARINT_MAX), WK_OK);
	assert_int_equal(captured(got, sizeof(got)), 10);
	assert_memory_equal(got, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	    10);
}

/* Long pieces are borrowed, short ones copied: the order must stay. */
static void
test_borrowed_octets_keep_their_order(void **state)
{
	enum { SIZE = 3000, N = 400 };
	static char big[SIZE], got[(SIZE + 8) * N];
	size_t len, i;

	(void)state;
	memset(big, 'b', sizeof(big));
	capture_start();
	for (i = 0; i < N; i++) {
		wk_out_printf("%07zu", i);
		wk_out_borrow(big, sizeof(big));
	}
	wk_out_borrow("end", 3);
	len = captured(got, sizeof(got));
	assert_int_equal(len, N * (SIZE + 7) + 3);
	for (i = 0; i < N; i++) {
		char want[16];

		snprintf(want, sizeof(want), "%07zub", i);
		assert_memory_equal(got + i * (SIZE + 7), want, 8);
		assert_memory_equal(got + i * (SIZE + 7) + 7, big, SIZE);
	}
	assert_memory_equal(got + len - 3, "end", 3);
}

/* Small writes of a full pipe: nothing is lost, nothing comes twice. */
static void
test_a_pipe_that_takes_little(void **state)
{
	enum { SIZE = 5000, N = 200 };
	static char all[SIZE * N], got[sizeof(all)];
	size_t i, at = 0;
	pid_t pid;
	int ends[2], status;
	ssize_t n;

	(void)state;
	for (i = 0; i < sizeof(all); i++)
		all[i] = (char)(i * 2654435761u >> 13);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	fcntl(ends[1], F_SETPIPE_SZ, 4096);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		wk_out_reset(ends[1]);
		for (i = 0; i < N; i++)
			wk_out_borrow(all + i * SIZE, SIZE);
		_exit(wk_out_flush() == WK_OK ? 0 : 1);
	}
	close(ends[1]);
	fcntl(ends[0], F_SETFL, 0);
	while (at < sizeof(got) &&
	    (n = read(ends[0], got + at, sizeof(got) - at < 777 ?
	    sizeof(got) - at : 777)) > 0)
		at += (size_t)n;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(at, sizeof(all));
	assert_memory_equal(got, all, sizeof(all));
	close(ends[0]);
}

/* --- what is written can be read ------------------------------------------ */

static void
test_round_trip(void **state)
{
	static const enum wk_framing framings[] = {
		WK_FRAMING_HEX, WK_FRAMING_U16, WK_FRAMING_VARINT,
		WK_FRAMING_NDJSON,
	};
	uint8_t data[300];
	static char text[200000];
	struct wk_framing_writer w;
	struct wk_framing_reader r;
	struct wk_framing_datagram d = { .data = data };
	size_t i, k, len;
	const uint8_t *in;

	(void)state;
	for (k = 0; k < sizeof(data); k++)
		data[k] = (uint8_t)k;
	for (i = 0; i < N_OF(framings); i++) {
		capture_start();
		wk_framing_writer_init(&w, framings[i], true);
		d.data = data;
		for (d.len = 0; d.len <= sizeof(data); d.len++)
			wk_framing_write(&w, &d);
		len = captured(text, sizeof(text));
		wk_framing_reader_init(&r, framings[i], sizeof(data));
		in = (const uint8_t *)text;
		for (k = 0; k <= sizeof(data); k++) {
			assert_int_equal(wk_framing_read(&r, &in, &len, &d),
			    WK_FRAMING_DATAGRAM);
			assert_int_equal(d.len, k);
			assert_true(k == 0 || memcmp(d.data, data, k) == 0);
			assert_false(d.has_context);
		}
		assert_int_equal(wk_framing_read(&r, &in, &len, &d), 0);
		assert_int_equal(wk_framing_finish(&r, &d), 0);
		wk_framing_reader_free(&r);
	}
}

static void
test_what_is_wrong_with_json(void **state)
{
	static const struct {
		const char *line, *want;
	} lines[] = {
		{ "{", "not JSON: string or '}' expected" },
		{ "{\"a\":\33}", "not JSON: invalid token" },
		{ "7", "not a JSON object" },
		{ "{\"payload_hex\":\"0g\"}", "payload_hex: half an octet, "
		    "expected two hexadecimal digits" },
		{ "{\"payload_b64\":\"!\"}",
		    "payload_b64: not a base64 character" },
		{ "{\"payload\":[]}", "payload: expected a text" },
		{ "{\"payload\":\"123456789\"}",
		    "payload: more than the 8 octets allowed" },
		{ "{\"payload_hex\":\"010203040506070809\"}",
		    "payload_hex: more than the 8 octets allowed" },
		{ "{\"payload\":\"\",\"context_id\":1.5}", "context_id: "
		    "expected a whole number from 0 to 4611686018427387903" },
		{ "{\"payload\":\"\",\"context_id_str\":\"x\"}",
		    "context_id_str: expected a whole number from 0 to "
		    "4611686018427387903" },
	};
	struct wk_framing_reader r;
	struct wk_framing_datagram d;
	const uint8_t *in;
	size_t i, len;

	(void)state;
	for (i = 0; i < N_OF(lines); i++) {
		wk_framing_reader_init(&r, WK_FRAMING_NDJSON, 8);
		in = (const uint8_t *)lines[i].line;
		len = strlen(lines[i].line);
		assert_int_equal(wk_framing_read(&r, &in, &len, &d), 0);
		assert_true(wk_framing_finish(&r, &d) < 0);
		assert_string_equal(r.error.reason, lines[i].want);
		wk_framing_reader_free(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_split),
		cmocka_unit_test(test_raw_is_cut_at_the_limit),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_writing),
		cmocka_unit_test(test_a_length_that_does_not_fit),
		cmocka_unit_test(test_borrowed_octets_keep_their_order),
		cmocka_unit_test(test_a_pipe_that_takes_little),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_what_is_wrong_with_json),
	};

	return cmocka_run_group_tests_name("framing", tests, NULL, NULL);
}
