/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/rstline_parts.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/cli/diag.h"
#include "common/cli/json.h"
#include "common/cli/out.h"

#define LINE_MAX_OCTETS (1 << 20)
#define HEX_SHOWN 32		/* octets of an unknown payload in the line */
#define TEXT_SHOWN 256		/* octets of a description in the line */

/* The option a Multipath TCP reset carries (RFC 8684, section 3.6). */
#define MPTCP_KIND 30
#define MPTCP_SUBTYPE_TCPRST 8

/* Citrix NetScaler puts a reset code where the window belongs. */
#define NETSCALER_FIRST 8196
#define NETSCALER_LAST 10042

const char *
wk_rst_address_text(uint8_t ip_version, const uint8_t *address,
    char out[INET6_ADDRSTRLEN])
{
	if (inet_ntop(ip_version == 4 ? AF_INET : AF_INET6, address, out,
	    INET6_ADDRSTRLEN) == NULL)
		snprintf(out, INET6_ADDRSTRLEN, "?");
	return out;
}

const char *
wk_endpoint_text(uint8_t ip_version, const uint8_t *address, uint16_t port,
    char out[WK_ENDPOINT_TEXT])
{
	char text[INET6_ADDRSTRLEN];

	snprintf(out, WK_ENDPOINT_TEXT, "%s.%u",
	    wk_rst_address_text(ip_version, address, text), port);
	return out;
}

/* --- what a record means -------------------------------------------------- */

/* The tables that could explain the code, most likely first. */
size_t
wk_rst_readings(const struct wk_rst_style *style, const struct wk_rstdiag *d,
    enum wk_rstdiag_registry out[2])
{
	if (!d->has_code || d->format == WK_RSTDIAG_LINUX_EXP ||
	    (d->has_pen && d->pen != 0))
		return 0;
	if (style->registry < 0)
		return wk_rstdiag_candidates(d->format, out);
	out[0] = (enum wk_rstdiag_registry)style->registry;
	return 1;
}

const char *
wk_rst_reading_text(enum wk_rstdiag_registry registry, uint16_t code)
{
	const struct wk_rstdiag_reason *reason =
	    wk_rstdiag_reason(registry, code);

	return reason == NULL ? "unknown" : reason->text;
}

bool
wk_rst_mptcp_reason(const struct wk_segment *s, unsigned *reason)
{
	size_t offset = 0, len;
	const uint8_t *data;
	uint8_t kind;
	bool is_bad;

	while (wk_segment_next_option(s, &offset, &kind, &data, &len, &is_bad))
		if (kind == MPTCP_KIND && len >= 2 &&
		    data[0] >> 4 == MPTCP_SUBTYPE_TCPRST) {
			*reason = data[1];
			return true;
		}
	return false;
}

bool
wk_rst_has_netscaler_window(const struct wk_segment *s)
{
	return s->payload_len == 0 && s->window >= NETSCALER_FIRST &&
	    s->window <= NETSCALER_LAST;
}

const char *
wk_rst_mptcp_text(unsigned reason)
{
	const char *text = wk_mptcp_rst_reason(reason);

	return text == NULL ? "unknown" : text;
}

/* The one line buffer of this room: cleared, never freed, never grows twice. */
struct wk_buf *
wk_rst_line_start(void)
{
	static struct wk_buf line;

	if (line.max == 0)
		wk_buf_init(&line, LINE_MAX_OCTETS);
	wk_buf_clear(&line);
	return &line;
}

void
wk_rst_line_end(struct wk_buf *line)
{
	wk_buf_append(line, "\n", 1);
	wk_out_write(line->data, line->len);
}

/* --- the text line -------------------------------------------------------- */

static void
append_seconds(struct wk_buf *line, uint64_t ns, int digits)
{
	uint64_t fraction = ns % WK_NS_PER_SEC;

	wk_buf_printf(line, "%" PRIu64 ".%0*" PRIu64 " ", ns / WK_NS_PER_SEC,
	    digits, digits == 9 ? fraction : fraction / 1000);
}

/* Local time, as TZ says; the zone is looked up once a second at most. */
static void
append_clock(struct wk_buf *line, uint64_t ns, int digits, bool with_date)
{
	static time_t known = -1;
	static struct tm tm;
	time_t seconds = (time_t)(ns / WK_NS_PER_SEC);
	uint64_t fraction = ns % WK_NS_PER_SEC;

	if (seconds != known) {
		localtime_r(&seconds, &tm);
		known = seconds;
	}
	if (with_date)
		wk_buf_printf(line, "%04d-%02d-%02d ", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday);
	wk_buf_printf(line, "%02d:%02d:%02d.%0*" PRIu64 " ", tm.tm_hour,
	    tm.tm_min, tm.tm_sec, digits,
	    digits == 9 ? fraction : fraction / 1000);
}

static void
append_time(struct wk_buf *line, struct wk_rst_style *style, uint64_t ns)
{
	uint64_t since;

	if (style->first_ns == 0)
		style->first_ns = style->previous_ns = ns;
	since = style->time == WK_TIME_DELTA ? style->previous_ns :
	    style->first_ns;
	style->previous_ns = ns;
	switch ((enum wk_time_style)style->time) {
	case WK_TIME_NONE:
		break;
	case WK_TIME_EPOCH:
		append_seconds(line, ns, style->digits);
		break;
	case WK_TIME_DELTA:
	case WK_TIME_SINCE_FIRST:
		/* Captures may hold frames out of order. */
		append_seconds(line, ns < since ? 0 : ns - since,
		    style->digits);
		break;
	case WK_TIME_CLOCK:
	case WK_TIME_DATE:
		append_clock(line, ns, style->digits,
		    style->time == WK_TIME_DATE);
		break;
	}
}

void
wk_rst_write_time(struct wk_rst_style *style, uint64_t wall_ns)
{
	struct wk_buf *line = wk_rst_line_start();

	append_time(line, style, wall_ns);
	wk_out_write(line->data, line->len);
}

static void
append_headers(struct wk_buf *line, const struct wk_segment *s,
    unsigned detail)
{
	char src[WK_ENDPOINT_TEXT], dst[WK_ENDPOINT_TEXT];
	char flags[WK_TCP_FLAGS_TEXT];

	wk_buf_printf(line, "%s %s > %s: [%s] seq %" PRIu32,
	    s->ip_version == 6 ? "IP6" : "IP",
	    wk_endpoint_text(s->ip_version, s->src, s->src_port, src),
	    wk_endpoint_text(s->ip_version, s->dst, s->dst_port, dst),
	    wk_tcp_flags_text(s->flags, flags), s->seq);
	if ((s->flags & WK_TCP_ACK) != 0)
		wk_buf_printf(line, " ack %" PRIu32, s->ack);
	wk_buf_printf(line, " ttl %u", s->ttl);
	if (detail > 0) {
		if (s->n_vlans > 0)
			wk_buf_printf(line, " vlan %u", s->vlan[0]);
		if (s->ip_version == 4)
			wk_buf_printf(line, " id %" PRIu32 "%s", s->ip_id,
			    s->has_df ? " df" : "");
		wk_buf_printf(line, " win %u", s->window);
		if (s->tcp_checksum != WK_CHECKSUM_UNKNOWN)
			wk_buf_printf(line, " cksum %s", s->tcp_checksum ==
			    WK_CHECKSUM_GOOD ? "ok" : "incorrect");
	}
	if (s->is_fragment)
		wk_buf_printf(line, " first fragment");
	wk_buf_printf(line, " len %zu", s->payload_len);
}

static void
append_quoted(struct wk_buf *line, const uint8_t *text, size_t len)
{
	size_t shown = len < TEXT_SHOWN ? len : TEXT_SHOWN;

	wk_buf_append(line, " \"", 2);
	wk_text_escape(line, text, shown, '"');
	wk_buf_printf(line, shown < len ? "\"..." : "\"");
}

static void
append_code(struct wk_buf *line, const struct wk_rst_style *style,
    const struct wk_rstdiag *d)
{
	enum wk_rstdiag_registry tables[2];
	size_t n = wk_rst_readings(style, d, tables), i;
	const char *name;

	/* A compact code has one likely table; the other is for those who ask. */
	if (d->format == WK_RSTDIAG_COMPACT && style->detail == 0 && n > 1)
		n = 1;
	wk_buf_printf(line, " code %u", d->code);
	if (d->format == WK_RSTDIAG_LINUX_EXP) {
		name = wk_linux_rst_reason(d->code);
		wk_buf_printf(line, " (%s)", name == NULL ? "unknown" : name);
	}
	for (i = 0; i < n; i++)
		wk_buf_printf(line, "%s%s, %s%s", i == 0 ? " (" : "; ",
		    wk_rst_reading_text(tables[i], d->code),
		    wk_rstdiag_registry_name((int)tables[i]),
		    i + 1 == n ? ")" : "");
	if (d->has_pen)
		wk_buf_printf(line, " pen %" PRIu32 "%s", d->pen,
		    d->pen != 0 ? " (vendor code)" : "");
}

static void
append_colored(struct wk_buf *line, const struct wk_rst_style *style,
    const char *color, const char *text)
{
	wk_buf_printf(line, "%s%s%s", style->is_colored ? color : "", text,
	    style->is_colored ? "\033[m" : "");
}

static void
append_payload(struct wk_buf *line, const struct wk_rst_style *style,
    const struct wk_rst_record *r)
{
	const struct wk_rstdiag *d = r->diag;
	const struct wk_segment *s = r->segment;
	char address[INET6_ADDRSTRLEN];
	size_t shown = style->detail > 1 || s->captured_len < HEX_SHOWN ?
	    s->captured_len : HEX_SHOWN;
	unsigned bit;

	if (d->format == WK_RSTDIAG_NONE)
		return;
	wk_buf_printf(line, " %s claims %s",
	    wk_rst_address_text(s->ip_version, s->src, address),
	    d->is_diagnostic ? "rst-diag " : "");
	append_colored(line, style, "\033[1m",
	    wk_rstdiag_format_name((int)d->format));
	if (d->has_code)
		append_code(line, style, d);
	if (d->description != NULL)
		append_quoted(line, d->description, d->description_len);
	if (d->error.status != WK_OK) {
		append_colored(line, style, "\033[31m", " (malformed: ");
		append_colored(line, style, "\033[31m", d->error.reason);
		append_colored(line, style, "\033[31m", ")");
	}
	if (d->is_truncated || s->captured_len < s->payload_len)
		wk_buf_printf(line, " [truncated]");
	for (bit = 0; bit < WK_RSTDIAG_N_WARNINGS; bit++)
		if ((d->warnings & 1u << bit) != 0)
			wk_buf_printf(line, " (warning: %s)",
			    wk_rstdiag_warning_text(1u << bit));
	if (d->format == WK_RSTDIAG_UNKNOWN || d->error.status != WK_OK ||
	    style->detail > 1) {
		wk_buf_printf(line, " hex ");
		wk_hex_append(line, s->payload, shown);
		if (shown < s->captured_len)
			wk_buf_printf(line, "...");
	}
}

static void
append_foreign(struct wk_buf *line, const struct wk_segment *s)
{
	unsigned reason;

	if (wk_rst_mptcp_reason(s, &reason))
		wk_buf_printf(line, " mptcp-reset reason %u (%s)", reason,
		    wk_rst_mptcp_text(reason));
	if (wk_rst_has_netscaler_window(s))
		wk_buf_printf(line, " win %u (NetScaler reset code range)",
		    s->window);
}

void
wk_rst_write_text(struct wk_rst_style *style, const struct wk_rst_record *r)
{
	struct wk_buf *line = wk_rst_line_start();
	size_t i;

	append_time(line, style, r->wall_ns);
	append_headers(line, r->segment, style->detail);
	append_payload(line, style, r);
	append_foreign(line, r->segment);
	for (i = 0; i < r->n_notes; i++) {
		append_colored(line, style, "\033[33m",
		    i == 0 ? " suspicious: " : "; ");
		append_colored(line, style, "\033[33m", r->notes[i]);
	}
	wk_rst_line_end(line);
}

void
wk_rst_write_codes(enum wk_rstdiag_registry registry)
{
	const struct wk_rstdiag_reason *reason;
	size_t n, i;

	reason = wk_rstdiag_reasons(registry, &n);
	for (i = 0; i < n; i++, reason++) {
		if (!wk_cli.is_json) {
			wk_out_printf("%u %s %s%s%s%s%s\n", reason->code,
			    reason->name, reason->text,
			    *reason->section != '\0' ? " (" : "",
			    reason->section,
			    *reason->section != '\0' ? ")" : "",
			    reason->is_on_path ? " [on-path]" : "");
			continue;
		}
		wk_json_begin("code");
		wk_json_str("registry", wk_rstdiag_registry_name((int)registry));
		wk_json_uint("code", reason->code);
		wk_json_str("name", reason->name);
		wk_json_str("text", reason->text);
		wk_json_str("section", reason->section);
		wk_json_bool("on_path", reason->is_on_path);
		wk_json_end();
	}
}
