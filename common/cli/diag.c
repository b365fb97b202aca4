/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cli/json.h"
#include "common/cli/out.h"
#include "common/cli/progress.h"

struct wk_cli wk_cli = { .name = "wirekit" };

void
wk_cli_init(const char *argv0)
{
	const char *slash = strrchr(argv0 == NULL ? "" : argv0, '/');
	int fd;

	if (argv0 != NULL && *argv0 != '\0')
		wk_cli.name = slash == NULL ? argv0 : slash + 1;
	setlocale(LC_CTYPE, "");
	/* Read-only stand-ins: writing to a closed stdout must still fail. */
	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

bool
wk_color_on(int fd)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (wk_cli.color != WK_COLOR_AUTO)
		return wk_cli.color == WK_COLOR_ALWAYS;
	if (no != NULL && *no != '\0')
		return false;
	if (term == NULL || strcmp(term, "dumb") == 0)
		return false;
	return isatty(fd) == 1;
}

__attribute__((format(printf, 4, 0))) static void
say(const char *label, const char *color, int errnum, const char *format,
    va_list ap)
{
	bool is_colored = wk_color_on(STDERR_FILENO);
	char text[2048];
	size_t len;

	vsnprintf(text, sizeof(text), format, ap);
	len = strlen(text);
	if (errnum != 0)
		snprintf(text + len, sizeof(text) - len, ": %s",
		    strerror(errnum));
	flockfile(stderr);
	/* What stdout holds came first; keep that order on a terminal. */
	wk_out_flush();
	wk_progress_clear();
	fprintf(stderr, "%s%s:%s %s%s%s%s\n", is_colored ? "\033[1m" : "",
	    wk_cli.name, is_colored ? "\033[m" : "",
	    is_colored ? color : "", label, is_colored ? "\033[m" : "", text);
	if (*label == '\0' && wk_cli.is_json &&
	    !wk_out_has_failed()) {
		wk_json_begin("error");
		wk_json_str("message", text);
		wk_json_end();
		wk_out_flush();
	}
	funlockfile(stderr);
}

void
wk_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say("", "", 0, format, ap);
	va_end(ap);
}

void
wk_warn_errno(int errnum, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say("", "", errnum, format, ap);
	va_end(ap);
}

void
wk_warn_input(const char *name, const struct wk_error *error)
{
	wk_warn("%s: byte %llu: %s", name, (unsigned long long)error->offset,
	    error->reason);
}

void
wk_caution(const char *format, ...)
{
	va_list ap;

	if (wk_cli.is_quiet)
		return;
	va_start(ap, format);
	say("warning: ", "\033[33m", 0, format, ap);
	va_end(ap);
}

void
wk_notice(const char *format, ...)
{
	va_list ap;

	if (wk_cli.is_quiet)
		return;
	va_start(ap, format);
	flockfile(stderr);
	wk_out_flush();
	wk_progress_clear();
	fprintf(stderr, "%s: ", wk_cli.name);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	funlockfile(stderr);
	va_end(ap);
}

void
wk_verbose_line(unsigned level, char mark, const char *text)
{
	if (wk_cli.verbose < level)
		return;
	flockfile(stderr);
	wk_out_flush();
	wk_progress_clear();
	fprintf(stderr, "%c %s\n", mark, text);
	funlockfile(stderr);
}

void
wk_verbose(unsigned level, const char *format, ...)
{
	va_list ap;

	if (wk_cli.verbose < level)
		return;
	va_start(ap, format);
	flockfile(stderr);
	wk_out_flush();
	wk_progress_clear();
	fputs("* ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	funlockfile(stderr);
	va_end(ap);
}
