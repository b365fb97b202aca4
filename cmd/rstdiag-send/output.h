/* SPDX-License-Identifier: MIT */
/*
 * Where a reset goes: out through a raw socket, into a capture file, or just
 * to the screen; and its echo on stdout. Counts what went.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/rstdiag-send/inject.h"
#include "cmd/rstdiag-send/options.h"
#include "common/base/buf.h"
#include "common/cli/rstline.h"
#include "common/net/capture.h"
#include "common/wire/segment.h"

enum output_result {
	OUTPUT_OK,
	OUTPUT_NOT_SENT,	/* this packet; failed_errno and failure say why */
	OUTPUT_BROKEN,		/* nothing more can go out; see output_close() */
};

struct output {
	const struct options *opt;
	struct inject inject;
	struct wk_dump dump;
	struct wk_rst_style style;
	struct wk_buf packet;
	int dump_errno;		/* why the capture file could not be written */
	bool is_open, is_echoing;
	uint32_t scope_id;	/* interface of link-local destinations */
	uint64_t sent, octets;
	int failed_errno;
	char failure[INJECT_TEXT];
};

/*
 * Open what the options name; families as in inject_open(). Says itself what
 * is wrong and returns an exit code; output_close() in every case, also when
 * a zeroed struct was never opened.
 */
int output_open(struct output *out, const struct options *o,
    unsigned families);

/*
 * Send s with each of the n payloads, and once without if so asked: all with
 * the same SEQ. Ends at the first that does not go.
 */
enum output_result output_resets(struct output *out, struct wk_segment *s,
    const struct wk_buf *payloads, size_t n);

/* Send s as it is, without echo. */
enum output_result output_silently(struct output *out,
    const struct wk_segment *s);

/* The octets alone, or in hexadecimal with --dry-run. */
void output_payload(struct output *out, const struct wk_buf *payload);

/* Before waiting: let everything be seen. False when output has ended. */
bool output_flush(struct output *out);

/* What exit code a failed_errno has. */
int output_exit_code(int errnum);

/* Close; says what could not be written. Returns rc or an exit code. */
int output_close(struct output *out, int rc);
