/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/out.h"
#include "common/cli/signals.h"
#include "common/net/privileges.h"
#include "common/wire/segment.h"

int
wk_watch_open(struct wk_capture *c, const char *path,
    const struct wk_capture_live *live)
{
	struct wk_error error;
	int rc;

	if (path != NULL)
		rc = wk_capture_open_file(c, path, &error);
	else
		rc = wk_capture_open_live(c, live, &error);
	if (rc != WK_OK) {
		wk_warn("%s: %s", c->name, error.reason);
		return rc == WK_E_MALFORMED ? WK_EXIT_PROTOCOL :
		    rc == WK_E_INVALID ? WK_EXIT_USAGE : WK_EXIT_SYSTEM;
	}
	if (wk_segment_has_link(c->link))
		return WK_EXIT_OK;
	wk_warn("%s: link type %u (%s) is not understood", c->name, c->link,
	    wk_capture_link_name(c->link));
	wk_capture_close(c);
	return WK_EXIT_PROTOCOL;
}

bool
wk_watch_is_input(const char *input, const char *path)
{
	struct stat a, b;

	if (input == NULL || path == NULL)
		return false;
	if ((strcmp(input, "-") == 0 ? fstat(STDIN_FILENO, &a) :
	    stat(input, &a)) < 0 || (strcmp(path, "-") == 0 ?
	    fstat(STDOUT_FILENO, &b) : stat(path, &b)) < 0)
		return false;
	return S_ISREG(a.st_mode) && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino;
}

bool
wk_watch_wait(const struct wk_capture *c, uint64_t deadline_ns,
    bool is_printing)
{
	struct pollfd p[3] = {
		{ .fd = c->fd, .events = POLLIN },
		{ .fd = wk_signals_fd(), .events = POLLIN },
		/* A reader that leaves shows as an error without writing. */
		{ .fd = is_printing ? wk_out_fd() : -1, .events = 0 },
	};
	uint64_t now_ns = wk_clock_now_ns(), wait_ms;
	int timeout = -1;

	if (deadline_ns != 0) {
		wait_ms = deadline_ns <= now_ns ? 0 :
		    (deadline_ns - now_ns + 999999) / 1000000;
		timeout = wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
	}
	if (poll(p, 3, timeout) < 0) {
		if (errno == EINTR)
			return true;
		wk_warn_errno(errno, "poll");
		return false;
	}
	return (p[2].revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

int
wk_watch_relinquish(const char *user)
{
	struct wk_error error;
	int rc = wk_privileges_drop(user, &error);

	if (rc == WK_OK)
		return WK_EXIT_OK;
	wk_warn("%s", error.reason);
	return rc == WK_E_INVALID ? WK_EXIT_USAGE : WK_EXIT_SYSTEM;
}
