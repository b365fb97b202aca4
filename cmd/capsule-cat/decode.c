/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/decode.h"

#include <errno.h>

#include "cmd/capsule-cat/decoder.h"
#include "cmd/capsule-cat/input.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/signals.h"

#define READ_SIZE (256 * 1024)

static int
decode_file(const struct options *opt, const char *path, bool *has_stopped)
{
	struct decoder d;
	struct input in;
	const uint8_t *data;
	size_t n;
	int rc, end;

	rc = input_open(&in, path, READ_SIZE);
	if (rc != WK_EXIT_OK)
		return rc;
	decoder_init(&d, opt, in.name, opt->n_files > 1);
	while (rc == WK_EXIT_OK && (n = input_read(&in, &data)) > 0)
		rc = decoder_feed(&d, data, n);
	if (rc == WK_EXIT_OK)
		rc = in.rc;
	end = decoder_finish(&d, rc == WK_EXIT_OK && !in.has_stopped);
	*has_stopped = in.has_stopped;
	decoder_free(&d);
	input_close(&in);
	return rc == WK_EXIT_OK ? end : rc;
}

int
decode(const struct options *opt)
{
	bool has_stopped = false;
	int i, one, rc = WK_EXIT_OK;

	if (wk_signals_init(WK_SIGNAL_STOP) != WK_OK) {
		wk_warn_errno(errno, "signals");
		return WK_EXIT_SYSTEM;
	}
	for (i = 0; i < opt->n_files && !has_stopped; i++) {
		one = decode_file(opt, opt->files[i], &has_stopped);
		if (rc == WK_EXIT_OK)
			rc = one;
	}
	wk_signals_obey();
	return rc;
}
