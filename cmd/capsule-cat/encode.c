/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/encode.h"

#include <errno.h>

#include "cmd/capsule-cat/encoder.h"
#include "cmd/capsule-cat/input.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/out.h"
#include "common/cli/signals.h"

#define READ_SIZE (128 * 1024)

/* What was made goes out before more input is read, and is forgotten then. */
static void
hand_out(struct encoder *e)
{
	wk_out_borrow(e->out.data, e->out.len);
	wk_out_flush();
	wk_buf_clear(&e->out);
}

static int
encode_file(struct encoder *e, const char *path, bool *has_stopped)
{
	struct input in;
	const uint8_t *data;
	size_t n;
	int rc;

	rc = input_open(&in, path, READ_SIZE);
	if (rc != WK_EXIT_OK)
		return rc;
	encoder_begin(e, in.name);
	while (!e->has_failed && (n = input_read(&in, &data)) > 0) {
		encoder_feed(e, data, n);
		hand_out(e);
	}
	if (!in.has_stopped && in.rc == WK_EXIT_OK)
		encoder_end(e);
	hand_out(e);
	*has_stopped = in.has_stopped || e->has_failed;
	input_close(&in);
	return in.rc;
}

int
encode(const struct options *opt)
{
	struct encoder e;
	bool has_stopped = false;
	int i, one, rc = WK_EXIT_OK;

	if (wk_signals_init(WK_SIGNAL_STOP) != WK_OK) {
		wk_warn_errno(errno, "signals");
		return WK_EXIT_SYSTEM;
	}
	if (encoder_init(&e, opt) != WK_OK) {
		wk_warn_errno(errno, "random numbers");
		return WK_EXIT_SYSTEM;
	}
	for (i = 0; i < opt->n_files && !has_stopped; i++) {
		one = encode_file(&e, opt->files[i], &has_stopped);
		if (rc == WK_EXIT_OK)
			rc = one != WK_EXIT_OK ? one : e.rc;
	}
	encoder_free(&e);
	wk_signals_obey();
	return rc;
}
