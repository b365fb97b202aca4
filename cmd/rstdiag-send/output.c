/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/output.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/out.h"
#include "common/wire/rstdiag.h"

#define PACKET_MAX 65535
#define TCP_CHECKSUM_AT 16

static bool
is_stdout(const char *path)
{
	return path != NULL && strcmp(path, "-") == 0;
}

static int
open_sockets(struct output *out, unsigned families)
{
	const char *interface = out->opt->mode == MODE_CRAFT ?
	    out->opt->interface : NULL;
	struct wk_error error;
	int rc;

	if (interface != NULL && strcmp(interface, "any") == 0)
		interface = NULL;
	rc = inject_open(&out->inject, families, interface, &error);
	if (rc == WK_OK)
		return WK_EXIT_OK;
	wk_warn("%s", error.reason);
	return rc == WK_E_INVALID ? WK_EXIT_USAGE : WK_EXIT_SYSTEM;
}

int
output_open(struct output *out, const struct options *o, unsigned families)
{
	struct wk_error error;

	memset(out, 0, sizeof(*out));
	out->opt = o;
	out->is_open = true;
	out->inject.v4 = out->inject.v6 = -1;
	wk_buf_init(&out->packet, PACKET_MAX);
	/* As a reader would explain it, unless a table was asked for. */
	out->style.registry = o->registry_choice;
	out->style.digits = 6;
	out->style.detail = wk_cli.verbose;
	out->style.is_colored = wk_color_on(STDOUT_FILENO) &&
	    o->output == NULL;
	out->scope_id = o->dst.scope_id != 0 || o->interface == NULL ?
	    o->dst.scope_id : if_nametoindex(o->interface);
	/* Without sending, what would be sent is the result. */
	out->is_echoing = (!wk_cli.is_quiet || o->is_dry_run) &&
	    (!is_stdout(o->write) || o->output != NULL);
	if (options_is_injecting(o))
		return open_sockets(out, families);
	if (o->write != NULL && wk_dump_open(&out->dump, o->write, WK_LINK_RAW,
	    PACKET_MAX, &error) != WK_OK) {
		wk_warn("%s: %s", out->dump.name, error.reason);
		return WK_EXIT_SYSTEM;
	}
	return WK_EXIT_OK;
}

static void
write_hex_line(const struct wk_buf *octets)
{
	struct wk_buf hex;

	wk_buf_init(&hex, 2 * PACKET_MAX + 1);
	wk_hex_append(&hex, octets->data, octets->len);
	wk_buf_append(&hex, "\n", 1);
	wk_out_write(hex.data, hex.len);
	wk_buf_free(&hex);
}

/* The packet is what it says; so its echo is read back from its octets. */
static void
echo(struct output *out, uint64_t wall_ns)
{
	struct wk_segment s;
	struct wk_rstdiag d;
	struct wk_rst_record r = {
		.wall_ns = wall_ns, .segment = &s, .diag = &d, .is_sent = true,
	};

	wk_segment_dissect(WK_LINK_RAW, out->packet.data, out->packet.len,
	    out->packet.len, &s, NULL);
	wk_rstdiag_decode(s.payload, s.payload_len, s.captured_len,
	    WK_RSTDIAG_ASK((unsigned)out->opt->format), &d);
	if (wk_cli.is_json) {
		wk_rst_write_json(&out->style, &r);
		return;
	}
	wk_rst_write_text(&out->style, &r);
	if (out->opt->is_dry_run)
		write_hex_line(&out->packet);
}

static int
build(struct output *out, const struct wk_segment *s)
{
	size_t at = (s->ip_version == 4 ? 20 : 40) + TCP_CHECKSUM_AT;
	int rc;

	wk_buf_clear(&out->packet);
	rc = wk_segment_build(s, &out->packet);
	/* One bit off is wrong in ones' complement, whatever the sum was. */
	if (rc == WK_OK && out->opt->has_bad_checksum)
		out->packet.data[at + 1] ^= 1;
	return rc;
}

static enum output_result
not_sent(struct output *out, int errnum)
{
	out->failed_errno = errnum;
	return OUTPUT_NOT_SENT;
}

/* libpcap does not say whether writing worked; stdio remembers. */
static enum output_result
dump(struct output *out, const struct wk_frame *f)
{
	wk_dump_frame(&out->dump, f);
	if (!ferror(pcap_dump_file(out->dump.dumper)))
		return OUTPUT_OK;
	if (out->dump_errno == 0)
		out->dump_errno = errno;
	return OUTPUT_BROKEN;
}

static enum output_result
deliver(struct output *out, const struct wk_segment *s, uint64_t wall_ns)
{
	const struct wk_frame f = {
		.data = out->packet.data, .caplen = out->packet.len,
		.wire_len = out->packet.len, .wall_ns = wall_ns,
	};

	if (out->dump.dumper != NULL) {
		if (dump(out, &f) != OUTPUT_OK)
			return OUTPUT_BROKEN;
	} else if (options_is_injecting(out->opt) &&
	    inject_send(&out->inject, s, out->packet.data, out->packet.len,
	    out->scope_id) != WK_OK) {
		not_sent(out, errno);
		inject_explain(s, out->packet.len, out->scope_id,
		    out->failed_errno, out->failure);
		return OUTPUT_NOT_SENT;
	}
	out->sent++;
	out->octets += out->packet.len;
	return OUTPUT_OK;
}

static enum output_result
emit(struct output *out, const struct wk_segment *s, bool is_echoing)
{
	uint64_t wall_ns = wk_clock_wall_ns();
	enum output_result result;

	if (build(out, s) != WK_OK) {
		snprintf(out->failure, sizeof(out->failure),
		    "the packet passes %d octets", PACKET_MAX);
		return not_sent(out, EMSGSIZE);
	}
	result = deliver(out, s, wall_ns);
	if (result == OUTPUT_OK && is_echoing)
		echo(out, wall_ns);
	return wk_out_has_failed() ? OUTPUT_BROKEN : result;
}

/* What the options say about every reset, whatever it is made for. */
static void
adjust(const struct options *o, struct wk_segment *s)
{
	s->ttl = (uint8_t)or_else(o->ttl, s->ttl);
	s->window = (uint16_t)or_else(o->window, s->window);
	s->traffic_class = (uint8_t)or_else(o->traffic_class,
	    s->traffic_class);
}

enum output_result
output_resets(struct output *out, struct wk_segment *s,
    const struct wk_buf *payloads, size_t n)
{
	enum output_result result = OUTPUT_OK;
	size_t i, total = n;

	adjust(out->opt, s);
	if (out->opt->is_also_empty && n > 0 && payloads[n - 1].len > 0)
		total++;
	for (i = 0; i < total && result == OUTPUT_OK; i++) {
		s->payload = i < n ? payloads[i].data : NULL;
		s->payload_len = i < n ? payloads[i].len : 0;
		result = emit(out, s, out->is_echoing);
	}
	return result;
}

enum output_result
output_silently(struct output *out, const struct wk_segment *s)
{
	return emit(out, s, false);
}

void
output_payload(struct output *out, const struct wk_buf *payload)
{
	out->sent++;
	out->octets += payload->len;
	if (out->opt->is_dry_run)
		write_hex_line(payload);
	else
		wk_out_write(payload->data, payload->len);
}

bool
output_flush(struct output *out)
{
	if (out->dump.dumper != NULL && out->dump_errno == 0 &&
	    wk_dump_flush(&out->dump) != WK_OK)
		out->dump_errno = errno;
	return wk_out_flush() == WK_OK && out->dump_errno == 0;
}

int
output_exit_code(int errnum)
{
	static const int network[] = {
		ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL,
	};
	size_t i;

	for (i = 0; i < sizeof(network) / sizeof(network[0]); i++)
		if (network[i] == errnum)
			return WK_EXIT_NETWORK;
	return WK_EXIT_SYSTEM;
}

int
output_close(struct output *out, int rc)
{
	if (!out->is_open)
		return rc;
	if (wk_dump_close(&out->dump) != WK_OK && out->dump_errno == 0)
		out->dump_errno = errno;
	if (out->dump_errno != 0 && out->dump_errno != EPIPE) {
		wk_warn_errno(out->dump_errno, "%s", out->dump.name);
		rc = rc == WK_EXIT_OK ? WK_EXIT_SYSTEM : rc;
	}
	inject_close(&out->inject);
	wk_buf_free(&out->packet);
	return rc;
}
