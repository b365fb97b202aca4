/* SPDX-License-Identifier: MIT */
/*
 * Input: an octet for the piece size (low six bits, 0: all at once; the high
 * one: --raw; the other: --no-context) and a capsule stream. What is decoded to
 * JSON and encoded again is the same, and text acts on no terminal.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/capsule-cat/decoder.h"
#include "cmd/capsule-cat/encoder.h"
#include "common/base/text.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/out.h"

#define CHECK(claim) do { if (!(claim)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The octets of all capsules that are whole. */
static size_t
whole_capsules(const uint8_t *data, size_t size)
{
	const uint8_t *in = data;
	struct wk_capsule_reader r;
	struct wk_capsule cap;
	size_t whole = 0;
	int event;

	wk_capsule_reader_init(&r, WK_VARINT_MAX);
	while ((event = wk_capsule_read(&r, &in, &size, &cap)) > 0)
		if (event == WK_CAPSULE_END)
			whole = (size_t)(in - data);
	return whole;
}

/* What the tool writes, for free(). */
static uint8_t *
decoded(const struct options *opt, const uint8_t *data, size_t size,
    size_t step, size_t *len)
{
	static int fd = -1;
	struct decoder d;
	size_t at, n;
	uint8_t *text, *piece;

	if (fd < 0)
		fd = memfd_create("out", 0);
	CHECK(fd >= 0 && ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	wk_out_reset(fd);
	decoder_init(&d, opt, "input", false);
	for (at = 0; at < size; at += n) {
		n = step < size - at ? step : size - at;
		piece = malloc(n);
		CHECK(piece != NULL);
		memcpy(piece, data + at, n);
		CHECK(decoder_feed(&d, piece, n) == WK_EXIT_OK);
		CHECK(d.held.cap <= 2 * opt->max_value + 4096);
		CHECK(wk_out_flush() == WK_OK);
		free(piece);
	}
	CHECK(decoder_finish(&d, true) == WK_EXIT_OK);
	CHECK(wk_out_flush() == WK_OK);
	decoder_free(&d);
	*len = (size_t)lseek(fd, 0, SEEK_END);
	text = malloc(*len + 1);
	CHECK(text != NULL);
	CHECK(pread(fd, text, *len, 0) == (ssize_t)*len);
	return text;
}

static void
check_text(const uint8_t *text, size_t len)
{
	size_t i;

	CHECK(wk_utf8_is_valid(text, len));
	CHECK(len == 0 || text[len - 1] == '\n');
	for (i = 0; i < len; i++)
		CHECK((text[i] >= 0x20 && text[i] != 0x7f) || text[i] == '\n');
}

static void
check_encoded(const struct options *opt, const uint8_t *text, size_t len,
    const uint8_t *data, size_t size, size_t step)
{
	struct encoder e;
	size_t at, n;

	CHECK(encoder_init(&e, opt) == WK_OK);
	encoder_begin(&e, "input");
	for (at = 0; at < len; at += n) {
		n = step < len - at ? step : len - at;
		encoder_feed(&e, text + at, n);
	}
	encoder_end(&e);
	CHECK(e.rc == WK_EXIT_OK && e.out.len == size);
	CHECK(size == 0 || memcmp(e.out.data, data, size) == 0);
	encoder_free(&e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options opt = {
		.max_value = 1 << 20, .context_id = OPTIONS_NO_CONTEXT,
		.framing = WK_FRAMING_NDJSON,
	};
	uint8_t *text, *cut;
	size_t step, len, cut_len;

	if (size == 0)
		return 0;
	step = data[0] & 0x3f;
	opt.is_raw = (data[0] & 0x80) != 0;
	opt.has_no_context = (data[0] & 0x40) != 0;
	data++;
	size = whole_capsules(data, size - 1);
	if (step == 0)
		step = size + 1;

	wk_cli.is_quiet = true;
	wk_cli.is_json = true;
	text = decoded(&opt, data, size, size + 1, &len);
	check_text(text, len);
	cut = decoded(&opt, data, size, step, &cut_len);
	CHECK(cut_len == len && memcmp(cut, text, len) == 0);
	free(cut);
	check_encoded(&opt, text, len, data, size, step);
	free(text);

	wk_cli.is_json = false;
	text = decoded(&opt, data, size, step, &len);
	check_text(text, len);
	free(text);

	opt.is_raw = false;
	opt.is_payload = true;
	free(decoded(&opt, data, size, step, &len));
	return 0;
}
