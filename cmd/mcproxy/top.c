/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/top.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/mcproxy/sample.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/json.h"
#include "common/cli/out.h"
#include "common/cli/signals.h"

#define NAME_WIDTH 22	/* so that 80 columns are enough */
#define SCREEN_ALTERNATE "\033[?1049h\033[?25l"
#define SCREEN_BACK "\033[?25h\033[?1049l"

/* --- one row -------------------------------------------------------------- */

struct change {			/* of a row, between two samples */
	double requests, misses, errors;	/* per second */
	struct latency_sums latency;
};

static struct change
change_of(const struct sample *now, const struct sample *before, size_t i)
{
	const struct row *r = &now->rows[i], *old = sample_find(before, r, i);
	static const struct row none;
	struct change c = { .latency = r->latency };
	uint64_t elapsed = now->at_ns - before->at_ns;

	if (old == NULL)
		old = &none;
	latency_since(&c.latency, &old->latency);
	c.requests = sample_rate(r->values[ROW_REQUESTS],
	    old->values[ROW_REQUESTS], elapsed);
	c.misses = sample_rate(r->values[ROW_MISSES], old->values[ROW_MISSES],
	    elapsed);
	c.errors = sample_rate(r->values[ROW_ERRORS], old->values[ROW_ERRORS],
	    elapsed);
	return c;
}

/* --- NDJSON --------------------------------------------------------------- */

static void
write_json_row(const struct row *r, const struct change *c)
{
	wk_json_begin(row_kind_name(r->kind));
	wk_json_str("name", r->name);
	if (r->kind == ROW_BACKEND) {
		wk_json_str("state", row_state(r));
		wk_json_uint("up", r->values[ROW_UP]);
		wk_json_uint("connections", r->values[ROW_CONNECTIONS]);
		wk_json_uint("depth", r->values[ROW_DEPTH]);
	} else {
		wk_json_double("misses_per_sec", c->misses);
	}
	wk_json_uint("requests", r->values[ROW_REQUESTS]);
	wk_json_double("requests_per_sec", c->requests);
	wk_json_double("errors_per_sec", c->errors);
	wk_json_uint("p50_us", latency_percentile_us(&c->latency, 50));
	wk_json_uint("p99_us", latency_percentile_us(&c->latency, 99));
	wk_json_uint("max_us", r->latency.max_us);
	wk_json_end();
}

static void
write_json(const struct sample *now, const struct sample *before)
{
	struct change c;
	size_t i;

	wk_json_begin("proxy");
	wk_json_time("time", wk_clock_wall_ns());
	wk_json_uint("uptime_sec", now->values[SAMPLE_UPTIME]);
	wk_json_uint("threads", now->values[SAMPLE_THREADS]);
	wk_json_uint("clients", now->values[SAMPLE_CLIENTS]);
	wk_json_uint("requests_active", now->values[SAMPLE_ACTIVE]);
	wk_json_uint("requests", now->values[SAMPLE_REQUESTS]);
	wk_json_double("requests_per_sec", sample_rate(
	    now->values[SAMPLE_REQUESTS], before->values[SAMPLE_REQUESTS],
	    now->at_ns - before->at_ns));
	wk_json_end();
	for (i = 0; i < now->n; i++) {
		c = change_of(now, before, i);
		write_json_row(&now->rows[i], &c);
	}
}

/* --- text ----------------------------------------------------------------- */

struct screen {
	size_t width, left;	/* columns; lines that fit still */
	size_t hidden;
	bool is_live;
};

static void
put_line(struct screen *s, const char *text, size_t len)
{
	if (s->left == 0) {
		s->hidden++;
		return;
	}
	s->left--;
	wk_out_write(text, len < s->width ? len : s->width);
	wk_out_text(s->is_live ? "\033[K\r\n" : "\n");
}

/* What the proxy names, as what a terminal may show, cut to its column. */
static void
add_name(struct wk_buf *line, const char *name)
{
	size_t start = line->len, used;

	wk_text_escape(line, name, strlen(name), 0);
	used = line->len - start;
	if (used > NAME_WIDTH) {
		line->len = start + NAME_WIDTH - 1;
		wk_buf_printf(line, "~");
		used = NAME_WIDTH;
	}
	wk_buf_printf(line, "%*s", (int)(NAME_WIDTH - used), "");
}

static void
put_row(struct screen *s, const struct row *r, const struct change *c)
{
	struct wk_buf line;

	wk_buf_init(&line, 65536);
	add_name(&line, r->name);
	if (r->kind == ROW_BACKEND)
		wk_buf_printf(&line, " %-5s %2" PRIu64 "/%-2" PRIu64 " %5"
		    PRIu64, row_state(r), r->values[ROW_UP],
		    r->values[ROW_CONNECTIONS], r->values[ROW_DEPTH]);
	else
		wk_buf_printf(&line, " %17.0f", c->misses);
	wk_buf_printf(&line, " %8.0f %6.0f", c->requests, c->errors);
	if (c->latency.total > 0)
		wk_buf_printf(&line, " %7" PRIu64 " %7" PRIu64 " %7" PRIu64,
		    latency_percentile_us(&c->latency, 50),
		    latency_percentile_us(&c->latency, 99), r->latency.max_us);
	else
		wk_buf_printf(&line, " %7s %7s %7" PRIu64, "-", "-",
		    r->latency.max_us);
	put_line(s, (const char *)line.data, line.len);
	wk_buf_free(&line);
}

static void
put_heading(struct screen *s, enum row_kind kind)
{
	static const char *const titles[] = { "BACKEND", "POOL", "ROUTE" };
	char text[160];
	int n;

	n = snprintf(text, sizeof(text), "%-*s %17s %8s %6s %7s %7s %7s",
	    NAME_WIDTH, titles[kind], kind == ROW_BACKEND ?
	    "STATE UP/OF DEPTH" : "MISS/S", "REQ/S", "ERR/S", "P50us",
	    "P99us", "MAXus");
	put_line(s, text, (size_t)n);
}

static void
write_text(struct screen *s, const char *address, const struct sample *now,
    const struct sample *before)
{
	struct change c;
	struct wk_buf line;
	size_t i;

	wk_buf_init(&line, 4096);
	wk_buf_printf(&line, "mcproxy ");
	wk_text_escape(&line, address, strlen(address), 0);
	wk_buf_printf(&line, " up %" PRIu64 " s threads %" PRIu64 " clients %"
	    PRIu64 " active %" PRIu64 " requests/s %.0f",
	    now->values[SAMPLE_UPTIME], now->values[SAMPLE_THREADS],
	    now->values[SAMPLE_CLIENTS], now->values[SAMPLE_ACTIVE],
	    sample_rate(now->values[SAMPLE_REQUESTS],
	    before->values[SAMPLE_REQUESTS], now->at_ns - before->at_ns));
	put_line(s, (const char *)line.data, line.len);
	wk_buf_free(&line);
	for (i = 0; i < now->n; i++) {
		if (i == 0 || now->rows[i].kind != now->rows[i - 1].kind) {
			put_line(s, "", 0);
			put_heading(s, now->rows[i].kind);
		}
		c = change_of(now, before, i);
		put_row(s, &now->rows[i], &c);
	}
}

/* --- the terminal --------------------------------------------------------- */

static struct termios before_us;
static bool is_changed;

static void
terminal_begin(void)
{
	struct termios t;

	if (isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before_us) == 0) {
		t = before_us;
		/* Single keys, not shown; Ctrl-C stays a signal. */
		t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		is_changed = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
	}
	wk_out_text(SCREEN_ALTERNATE);
}

static void
terminal_end(void)
{
	wk_out_text(SCREEN_BACK);
	wk_out_flush();
	if (is_changed)
		tcsetattr(STDIN_FILENO, TCSANOW, &before_us);
}

static void
draw(const char *address, const struct sample *now,
    const struct sample *before)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	struct screen s = { .is_live = true };
	char more[64];
	int n;

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	s.width = size.ws_col > 0 ? size.ws_col : 80;
	/* The last line is for what did not fit. */
	s.left = size.ws_row > 2 ? (size_t)size.ws_row - 2 : 1;
	wk_out_text("\033[H");
	write_text(&s, address, now, before);
	wk_out_text("\033[J");
	n = s.hidden > 0 ? snprintf(more, sizeof(more), "%zu more lines; q "
	    "ends", s.hidden) : snprintf(more, sizeof(more), "q ends");
	wk_out_write(more, (size_t)n);
}

/* --- running -------------------------------------------------------------- */

/* Wait for the next moment; false when it is time to end. */
static bool
wait_until(uint64_t until_ns, bool has_keys)
{
	struct pollfd fds[2] = {
		{ .fd = wk_signals_fd(), .events = POLLIN },
		{ .fd = has_keys ? STDIN_FILENO : -1, .events = POLLIN },
	};
	uint64_t now_ns;
	char key;

	for (;;) {
		now_ns = wk_clock_now_ns();
		if (now_ns >= until_ns)
			return true;
		if (poll(fds, 2, (int)((until_ns - now_ns) / 1000000) + 1) < 0 &&
		    errno != EINTR)
			return false;
		if (wk_signals_stopped() != 0)
			return false;
		if (fds[1].revents != 0 && (read(STDIN_FILENO, &key, 1) <= 0 ||
		    key == 'q' || key == 'Q'))
			return false;
	}
}

static void
show(const struct top_options *o, bool is_live, const struct sample *now,
    const struct sample *before)
{
	struct screen plain = { .width = SIZE_MAX, .left = SIZE_MAX };

	if (wk_cli.is_json)
		write_json(now, before);
	else if (is_live)
		draw(o->address, now, before);
	else
		write_text(&plain, o->address, now, before);
}

/* No sample: somebody wants us to end, or the proxy is gone. */
static int
failure(void)
{
	return wk_signals_stopped() != 0 ? WK_EXIT_OK : WK_EXIT_NETWORK;
}

static int
watch(const struct top_options *o, struct link *l, bool is_live, bool is_once)
{
	struct sample before, now;
	int rc = WK_EXIT_OK;

	if (!sample_take(&before, l))
		return failure();
	while (wait_until(before.at_ns + o->interval_ns,
	    is_live && isatty(STDIN_FILENO))) {
		if (!sample_take(&now, l)) {
			rc = failure();
			break;
		}
		show(o, is_live, &now, &before);
		sample_free(&before);
		before = now;
		if (wk_out_flush() != WK_OK || is_once)
			break;
	}
	sample_free(&before);
	return rc;
}

int
top_run(const struct top_options *o)
{
	bool is_live = !o->is_once && !wk_cli.is_json && isatty(STDOUT_FILENO);
	bool is_once = o->is_once || (!wk_cli.is_json && !is_live);
	struct link l;
	int rc;

	if (wk_signals_init(WK_SIGNAL_STOP) != WK_OK) {
		wk_warn_errno(errno, "signals");
		return WK_EXIT_SYSTEM;
	}
	rc = link_open(&l, o->address);
	if (rc != WK_EXIT_OK)
		return rc;
	if (is_live)
		terminal_begin();
	rc = watch(o, &l, is_live, is_once);
	if (is_live)
		terminal_end();
	link_close(&l);
	return rc;
}
