/* SPDX-License-Identifier: MIT */
/* rstdiag-sniff: show TCP resets and what they claim about their reason. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/rstdiag-sniff/counters.h"
#include "cmd/rstdiag-sniff/options.h"
#include "cmd/rstdiag-sniff/suspicious.h"
#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/interfaces.h"
#include "common/cli/json.h"
#include "common/cli/out.h"
#include "common/cli/progress.h"
#include "common/cli/signals.h"
#include "common/cli/watch.h"
#include "common/net/capture.h"
#include "common/wire/rstdiag.h"
#include "common/wire/segment.h"

/*
 * What the kernel lets through. "tcp" offsets in BPF are IPv4 only, and IPv6
 * with extension headers, fragments and VLAN tags are sorted out here: the
 * filter is wide, the code behind it exact. "vlan" shifts all offsets behind
 * it and so comes last; some link types do not know it.
 */
#define LATER_FRAGMENT "(ip[6:2] & 0x1fff != 0 and ip[9] == 6)"
#define RESETS \
	"(tcp[tcpflags] & tcp-rst != 0) or " \
	"(ip6[6] == 6 and ip6[53] & 4 != 0) or " WK_WATCH_UNUSUAL_V6 " or " \
	LATER_FRAGMENT
#define ALL_TCP "tcp or (ip6 and ip6[6] == 6) or " WK_WATCH_UNUSUAL_V6 " or " \
	LATER_FRAGMENT
#define TAGGED " or (vlan and (ip or ip6 or vlan))"
/* Where the filter knows no VLAN; those that the kernel left in the frame. */
#define TAGGED_INSIDE \
	" or ether proto 0x8100 or ether proto 0x88a8 or ether proto 0x9100"

#define PROGRESS_EVERY 4096	/* frames */

struct sniffer {
	const struct options *opt;
	struct wk_capture capture;
	struct wk_dump dump;
	struct counters counters;
	struct suspicious *suspicious;	/* NULL unless asked for */
	struct wk_rst_style style;
	bool is_dumping, is_printing, flushes_each;
	int dump_errno;			/* why the dump cannot go on */
	uint64_t deadline_ns;		/* 0: none */
};

/* --- one frame ------------------------------------------------------------ */

static void
tell_contradiction(struct sniffer *sn, const struct wk_frame *f,
    const struct wk_segment *s, uint64_t since_ns)
{
	char src[WK_ENDPOINT_TEXT], dst[WK_ENDPOINT_TEXT];
	uint64_t since_us = since_ns / 1000;

	sn->counters.contradictions++;
	if (!sn->is_printing || sn->opt->fields.n > 0)
		return;
	wk_endpoint_text(s->ip_version, s->src, s->src_port, src);
	wk_endpoint_text(s->ip_version, s->dst, s->dst_port, dst);
	if (wk_cli.is_json) {
		wk_json_begin("contradiction");
		wk_json_time("ts", f->wall_ns);
		wk_json_str("from", src);
		wk_json_str("to", dst);
		wk_json_uint("seq", s->seq);
		wk_json_uint("since_reset_us", since_us);
		wk_json_end();
		return;
	}
	wk_rst_write_time(&sn->style, f->wall_ns);
	wk_out_printf("%s %s > %s: suspicious: goes on %" PRIu64
	    ".%06" PRIu64 " s after its reset\n",
	    s->ip_version == 6 ? "IP6" : "IP", src, dst,
	    since_us / 1000000, since_us % 1000000);
}

static void
show(struct sniffer *sn, const struct wk_rst_record *r)
{
	if (wk_cli.is_json)
		wk_rst_write_json(&sn->style, r);
	else if (sn->opt->fields.n > 0)
		wk_rst_write_fields(&sn->style, &sn->opt->fields, r);
	else
		wk_rst_write_text(&sn->style, r);
}

static void
take_reset(struct sniffer *sn, const struct wk_frame *f,
    const struct wk_segment *s)
{
	struct wk_rstdiag d;
	struct wk_rst_record r = {
		.wall_ns = f->wall_ns, .segment = s, .diag = &d,
	};

	/* A first fragment may end anywhere: what it begins is not judged. */
	wk_rstdiag_decode(s->payload, s->payload_len,
	    s->is_fragment ? 0 : s->captured_len, sn->opt->ask, &d);
	counters_add(&sn->counters, &d);
	if (sn->suspicious != NULL)
		suspicious_judge(sn->suspicious, &r);
	if (sn->opt->wants_diagnostic && !d.is_diagnostic)
		return;
	sn->counters.shown++;
	if (sn->is_dumping) {
		errno = 0;
		wk_dump_frame(&sn->dump, f);
		if (wk_dump_has_failed(&sn->dump))
			sn->dump_errno = errno;
	}
	if (sn->is_printing)
		show(sn, &r);
}

static void
take_frame(struct sniffer *sn, const struct wk_frame *f)
{
	struct wk_segment s;
	enum wk_segment_kind kind;
	uint64_t since_ns;

	if (sn->suspicious == NULL &&
	    !wk_segment_may_be_rst(sn->capture.link, f->data, f->caplen))
		return;
	kind = (enum wk_segment_kind)wk_segment_dissect(sn->capture.link,
	    f->data, f->caplen, f->wire_len, &s, NULL);
	if (kind != WK_SEGMENT_TCP)
		counters_add_unread(&sn->counters, kind);
	else if ((s.flags & WK_TCP_RST) != 0)
		take_reset(sn, f, &s);
	else if (sn->suspicious != NULL && suspicious_learn(sn->suspicious, &s,
	    f->wall_ns, &since_ns))
		tell_contradiction(sn, f, &s, since_ns);
}

/* --- the loop ------------------------------------------------------------- */

static bool
is_enough(const struct sniffer *sn)
{
	return wk_signals_stopped() != 0 || wk_out_has_failed() ||
	    sn->dump_errno != 0 ||
	    (sn->opt->count != 0 && sn->counters.shown >= sn->opt->count);
}

/* Everything out before we wait; false when nobody takes it any more. */
static bool
flush_all(struct sniffer *sn)
{
	if (sn->is_dumping && wk_dump_flush(&sn->dump) != WK_OK) {
		sn->dump_errno = errno;
		return false;
	}
	return wk_out_flush() == WK_OK;
}

/* Whether to stop is for is_enough() to ask. */
static void
take_signals(const struct sniffer *sn)
{
	if ((wk_signals_take() & WK_SIGNAL_REPORT) != 0)
		counters_write_text(&sn->counters, &sn->capture, &sn->style);
}

/* False at the deadline, and when there is nobody left to work for. */
static bool
wait_for_frames(struct sniffer *sn)
{
	bool is_worth_it;

	if (sn->deadline_ns != 0 && wk_clock_now_ns() >= sn->deadline_ns)
		return false;
	is_worth_it = flush_all(sn) &&
	    wk_watch_wait(&sn->capture, sn->deadline_ns, sn->is_printing);
	take_signals(sn);
	return is_worth_it;
}

static int
tell_failure(const struct sniffer *sn, const struct wk_error *error)
{
	wk_warn("%s: %s", sn->capture.name, error->reason);
	return sn->capture.is_live ? WK_EXIT_SYSTEM : WK_EXIT_PROTOCOL;
}

static int
run(struct sniffer *sn)
{
	struct wk_frame f;
	struct wk_error error;
	uint64_t at, size, shown = 0;
	int rc = WK_EXIT_OK, got;

	while (!is_enough(sn)) {
		got = wk_capture_next(&sn->capture, &f, &error);
		if (got > 0) {
			take_frame(sn, &f);
			if (sn->flushes_each && sn->counters.shown != shown &&
			    !flush_all(sn))
				break;
			shown = sn->counters.shown;
			if (wk_signals_are_noted())
				take_signals(sn);
			if (sn->capture.frames % PROGRESS_EVERY == 0 &&
			    wk_capture_position(&sn->capture, &at, &size))
				wk_progress_update(at);
		} else if (got < 0) {
			/* A stop while a pipe says nothing is no failure. */
			if (wk_signals_stopped() == 0)
				rc = tell_failure(sn, &error);
			break;
		} else if (!sn->capture.is_live || !wait_for_frames(sn)) {
			break;
		}
	}
	return rc;
}

/* --- setting up ----------------------------------------------------------- */

static int
open_capture(struct sniffer *sn)
{
	const struct options *opt = sn->opt;
	const struct wk_capture_live live = {
		.interface = opt->interface,
		.snaplen = (int)opt->snaplen,
		.buffer_size = (int)(opt->buffer_kib * 1024),
		.is_promiscuous = !opt->is_not_promiscuous,
		.direction = (const int[]) { PCAP_D_INOUT, PCAP_D_IN,
		    PCAP_D_OUT }[opt->direction],
	};

	return wk_watch_open(&sn->capture, opt->file, &live);
}

/* The user's expression, AND-ed with ours where the kernel can save us work. */
static int
set_filter(struct sniffer *sn)
{
	const char *user = sn->opt->expression;
	const char *ours = sn->suspicious != NULL ? ALL_TCP : RESETS;
	struct wk_error error, ignored;
	struct bpf_program checked;
	char *both;
	size_t size;
	int rc;

	/* Alone first: an error must be about what the user wrote. */
	if (user != NULL) {
		if (wk_filter_compile(&checked, sn->capture.link, user,
		    &error) != WK_OK) {
			wk_warn("expression \"%s\": %s", user, error.reason);
			return WK_EXIT_USAGE;
		}
		pcap_freecode(&checked);
	}
	if (!sn->capture.is_live && user == NULL)
		return WK_EXIT_OK;
	if (!sn->capture.is_live) {
		rc = wk_capture_filter(&sn->capture, user, &error);
	} else {
		size = strlen(ours) + sizeof(TAGGED) + sizeof(TAGGED_INSIDE) +
		    (user == NULL ? 0 : strlen(user)) + 16;
		both = malloc(size);
		if (both == NULL) {
			wk_warn("out of memory");
			return WK_EXIT_SYSTEM;
		}
		snprintf(both, size, "%s%s%s(%s%s)", user == NULL ? "" : "(",
		    user == NULL ? "" : user, user == NULL ? "" : ") and ",
		    ours, TAGGED);
		rc = wk_capture_filter(&sn->capture, both, &ignored);
		if (rc != WK_OK) {
			strcpy(strstr(both, TAGGED), TAGGED_INSIDE ")");
			rc = wk_capture_filter(&sn->capture, both, &error);
		}
		free(both);
	}
	if (rc != WK_OK) {
		wk_warn("%s: %s", sn->capture.name, error.reason);
		return rc == WK_E_INVALID ? WK_EXIT_USAGE : WK_EXIT_SYSTEM;
	}
	return WK_EXIT_OK;
}

static int
open_dump(struct sniffer *sn)
{
	const char *path = sn->opt->dump;
	struct wk_error error;

	sn->is_printing = path == NULL || sn->opt->prints_too ||
	    wk_cli.is_json || sn->opt->fields.n > 0;
	if (path == NULL)
		return WK_EXIT_OK;
	if (strcmp(path, "-") == 0 && isatty(STDOUT_FILENO) == 1) {
		wk_warn("standard output is a terminal; a capture is binary");
		return WK_EXIT_USAGE;
	}
	if (wk_dump_open(&sn->dump, path, sn->capture.link,
	    pcap_snapshot(sn->capture.pcap), &error) != WK_OK) {
		wk_warn("%s: %s", path, error.reason);
		return WK_EXIT_SYSTEM;
	}
	sn->is_dumping = true;
	return WK_EXIT_OK;
}

static int
set_up(struct sniffer *sn)
{
	const struct options *opt = sn->opt;
	int rc;

	if (opt->is_suspicious) {
		sn->suspicious = suspicious_new();
		if (sn->suspicious == NULL) {
			wk_warn("out of memory");
			return WK_EXIT_SYSTEM;
		}
	}
	if ((rc = open_capture(sn)) != WK_EXIT_OK ||
	    (rc = set_filter(sn)) != WK_EXIT_OK ||
	    (rc = open_dump(sn)) != WK_EXIT_OK)
		return rc;
	/* Reading a file needs no special rights, unless somebody says so. */
	if (opt->file == NULL || opt->user != NULL)
		rc = wk_watch_relinquish(opt->user);
	if (rc != WK_EXIT_OK)
		return rc;
	if (wk_signals_init(WK_SIGNAL_STOP | WK_SIGNAL_REPORT) != WK_OK) {
		wk_warn_errno(errno, "signals");
		return WK_EXIT_SYSTEM;
	}
	/* A pipe may be live, and whoever reads us wants what is known. */
	sn->flushes_each = opt->is_packet_buffered || sn->capture.is_pipe;
	if (opt->max_time_ns != 0)
		sn->deadline_ns = wk_clock_now_ns() + opt->max_time_ns;
	return WK_EXIT_OK;
}

static int
finish(struct sniffer *sn, int rc)
{
	const struct options *opt = sn->opt;

	wk_progress_end();
	if (sn->is_dumping && wk_dump_close(&sn->dump) != WK_OK &&
	    sn->dump_errno == 0)
		sn->dump_errno = errno;
	if (sn->dump_errno != 0 && sn->dump_errno != EPIPE) {
		wk_warn_errno(sn->dump_errno, "%s", sn->dump.name);
		rc = rc == WK_EXIT_OK ? WK_EXIT_SYSTEM : rc;
	}
	if (wk_cli.is_json)
		counters_write_json(&sn->counters, &sn->capture);
	wk_out_flush();
	if (!wk_cli.is_quiet)
		counters_write_text(&sn->counters, &sn->capture, &sn->style);
	if (rc != WK_EXIT_OK)
		return rc;
	if (opt->checks && sn->counters.invalid > 0)
		return WK_EXIT_NO;
	if (opt->count != 0 && sn->counters.shown < opt->count)
		return WK_EXIT_NO;
	return WK_EXIT_OK;
}

static int
sniff(const struct options *opt)
{
	static struct sniffer sn;
	uint64_t at, size;
	int rc;

	sn.opt = opt;
	sn.style = opt->style;
	rc = set_up(&sn);
	if (rc == WK_EXIT_OK) {
		if (sn.capture.is_live)
			wk_notice("listening on %s (%s)", sn.capture.name,
			    wk_capture_link_name(sn.capture.link));
		if (!isatty(STDOUT_FILENO) &&
		    wk_capture_position(&sn.capture, &at, &size))
			wk_progress_begin(sn.capture.name, size);
		rc = run(&sn);
		rc = finish(&sn, rc);
	} else {
		wk_dump_close(&sn.dump);
	}
	wk_capture_close(&sn.capture);
	suspicious_del(sn.suspicious);
	return rc;
}

int
main(int argc, char **argv)
{
	struct options opt;
	int rc;

	wk_cli_init(argv[0]);
	if (options_parse(&opt, argc, argv, &rc)) {
		rc = opt.lists_interfaces ? wk_interfaces_write() : sniff(&opt);
		options_free(&opt);
	}
	return wk_out_finish(rc);
}
