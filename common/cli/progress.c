/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/cli/diag.h"

#define INTERVAL_NS (WK_NS_PER_SEC / 10)

static struct {
	const char *what;
	uint64_t total, started_ns, shown_ns;
	bool is_on, is_visible;
} progress;

void
wk_progress_begin(const char *what, uint64_t total)
{
	progress.what = what;
	progress.total = total;
	progress.is_on = !wk_cli.is_quiet && wk_cli.verbose == 0 &&
	    isatty(STDERR_FILENO) == 1 &&
	    tcgetpgrp(STDERR_FILENO) == getpgrp();
	if (progress.is_on)
		progress.started_ns = progress.shown_ns = wk_clock_now_ns();
}

static const char *
scaled(double octets, char out[16])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	unsigned i = 0;

	while (octets >= 1024 && i < 4) {
		octets /= 1024;
		i++;
	}
	snprintf(out, 16, i == 0 ? "%.0f %s" : "%.1f %s", octets, units[i]);
	return out;
}

void
wk_progress_update(uint64_t done)
{
	char amount[16], rate[16], left[40] = "";
	double seconds, per_second;
	uint64_t now_ns;

	if (!progress.is_on)
		return;
	now_ns = wk_clock_now_ns();
	if (now_ns - progress.shown_ns < INTERVAL_NS)
		return;
	progress.shown_ns = now_ns;
	seconds = (double)(now_ns - progress.started_ns) / 1e9;
	per_second = (double)done / seconds;
	if (progress.total > 0 && done <= progress.total && per_second > 0)
		snprintf(left, sizeof(left), "  %3.0f %%  %.0f s left",
		    100.0 * (double)done / (double)progress.total,
		    (double)(progress.total - done) / per_second);
	fprintf(stderr, "\r%s  %s  %s/s%s\033[K", progress.what,
	    scaled((double)done, amount), scaled(per_second, rate), left);
	fflush(stderr);
	progress.is_visible = true;
}

void
wk_progress_clear(void)
{
	if (!progress.is_visible)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	progress.is_visible = false;
}

void
wk_progress_end(void)
{
	wk_progress_clear();
	progress.is_on = false;
}
