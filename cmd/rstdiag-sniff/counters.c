/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-sniff/counters.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/cli/json.h"

void
counters_add(struct counters *c, const struct wk_rstdiag *d)
{
	uint32_t pen = d->has_pen ? d->pen : 0;
	size_t i;

	c->resets++;
	c->formats[d->format]++;
	if (d->format == WK_RSTDIAG_NONE)
		c->empty++;
	else if (!d->is_diagnostic)
		c->foreign++;
	else if (d->is_valid)
		c->valid++;
	else if (d->error.status == WK_OK)
		c->cut++;
	else
		c->invalid++;
	if (!d->is_diagnostic || !d->is_valid || !d->has_code)
		return;
	for (i = 0; i < c->n_codes; i++)
		if (c->code[i].format == d->format && c->code[i].pen == pen &&
		    c->code[i].code == d->code)
			break;
	if (i == COUNTERS_CODES_MAX) {
		c->other_codes++;
		return;
	}
	if (i == c->n_codes) {
		c->n_codes++;
		c->code[i].format = d->format;
		c->code[i].pen = pen;
		c->code[i].code = d->code;
		c->code[i].n = 0;
	}
	c->code[i].n++;
}

void
counters_add_unread(struct counters *c, enum wk_segment_kind kind)
{
	if (kind == WK_SEGMENT_FRAGMENT)
		c->fragments++;
	else if (kind == WK_SEGMENT_TRUNCATED)
		c->truncated++;
	else if (kind == WK_SEGMENT_MALFORMED)
		c->malformed++;
}

static void
line(uint64_t n, const char *what)
{
	if (n > 0)
		fprintf(stderr, "%" PRIu64 " %s\n", n, what);
}

/* "  2 compact code 16 (Connection timeout, ietf-03)" */
static void
write_code(const struct counters *c, size_t i, const struct wk_rst_style *style)
{
	enum wk_rstdiag_registry tables[2];
	const struct wk_rstdiag_reason *reason;
	size_t n = 1, k;

	fprintf(stderr, "  %" PRIu64 " %s code %u", c->code[i].n,
	    wk_rstdiag_format_name((int)c->code[i].format), c->code[i].code);
	if (c->code[i].pen != 0) {
		fprintf(stderr, " pen %" PRIu32 " (vendor code)\n",
		    c->code[i].pen);
		return;
	}
	if (style->registry >= 0)
		tables[0] = (enum wk_rstdiag_registry)style->registry;
	else
		n = wk_rstdiag_candidates(c->code[i].format, tables);
	if (c->code[i].format == WK_RSTDIAG_COMPACT && n > 1)
		n = 1;		/* as in the lines */
	for (k = 0; k < n; k++) {
		reason = wk_rstdiag_reason(tables[k], c->code[i].code);
		fprintf(stderr, "%s%s, %s", k == 0 ? " (" : "; ",
		    reason == NULL ? "unknown" : reason->text,
		    wk_rstdiag_registry_name((int)tables[k]));
	}
	fputs(n > 0 ? ")\n" : "\n", stderr);
}

void
counters_write_text(const struct counters *c, const struct wk_capture *capture,
    const struct wk_rst_style *style)
{
	uint64_t received, dropped;
	size_t i;

	fprintf(stderr, "%" PRIu64 " packets %s\n", capture->frames,
	    capture->is_live ? "captured" : "read");
	if (wk_capture_counters(capture, &received, &dropped))
		fprintf(stderr, "%" PRIu64 " packets received by filter\n"
		    "%" PRIu64 " packets dropped by kernel\n", received,
		    dropped);
	fprintf(stderr, "%" PRIu64 " resets: %" PRIu64 " without payload, %"
	    PRIu64 " with diagnostic payload, %" PRIu64 " with another\n",
	    c->resets, c->empty, c->valid + c->invalid + c->cut, c->foreign);
	fprintf(stderr, "%" PRIu64 " diagnostic payloads valid, %" PRIu64
	    " invalid\n", c->valid, c->invalid);
	for (i = 0; i < c->n_codes; i++)
		write_code(c, i, style);
	line(c->other_codes, "with further codes");
	line(c->cut, "diagnostic payloads cut by the capture");
	line(c->fragments, "fragments without a TCP header, not looked into");
	line(c->truncated, "packets cut before the end of the TCP header");
	line(c->malformed, "packets with contradicting lengths");
	line(c->contradictions, "connections went on after their reset");
}

void
counters_write_json(const struct counters *c, const struct wk_capture *capture)
{
	uint64_t received, dropped;
	size_t i;

	wk_json_begin("summary");
	wk_json_uint("packets", capture->frames);
	if (wk_capture_counters(capture, &received, &dropped)) {
		wk_json_uint("received_by_filter", received);
		wk_json_uint("dropped_by_kernel", dropped);
	}
	wk_json_uint("resets", c->resets);
	wk_json_uint("without_payload", c->empty);
	wk_json_uint("with_diagnostic", c->valid + c->invalid + c->cut);
	wk_json_uint("with_other_payload", c->foreign);
	wk_json_uint("valid", c->valid);
	wk_json_uint("invalid", c->invalid);
	wk_json_uint("cut", c->cut);
	wk_json_uint("fragments", c->fragments);
	wk_json_uint("truncated", c->truncated);
	wk_json_uint("malformed", c->malformed);
	wk_json_uint("contradictions", c->contradictions);
	wk_json_object("formats");
	for (i = 0; i < WK_RSTDIAG_N_FORMATS; i++)
		if (c->formats[i] > 0)
			wk_json_uint(wk_rstdiag_format_name((int)i),
			    c->formats[i]);
	wk_json_object_end();
	wk_json_array("codes");
	for (i = 0; i < c->n_codes; i++) {
		wk_json_object(NULL);
		wk_json_str("format",
		    wk_rstdiag_format_name((int)c->code[i].format));
		wk_json_uint("code", c->code[i].code);
		wk_json_uint("pen", c->code[i].pen);
		wk_json_uint("count", c->code[i].n);
		wk_json_object_end();
	}
	wk_json_array_end();
	wk_json_uint("other_codes", c->other_codes);
	wk_json_end();
}
