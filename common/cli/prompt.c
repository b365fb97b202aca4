/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/prompt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "common/cli/diag.h"
#include "common/cli/out.h"

#define HISTORY_MAX 500

static struct {
	const struct wk_prompt *prompt;	/* NULL: none */
	struct wk_io keys;
	char history[512];	/* file; "" if there is no place for one */
} here;

/* --- the screen ----------------------------------------------------------- */

void
wk_prompt_hide(void)
{
	if (here.prompt != NULL)
		rl_clear_visible_line();
}

void
wk_prompt_show(void)
{
	wk_out_flush();
	if (here.prompt != NULL)
		rl_forced_update_display();
}

void
wk_prompt_say(const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	wk_out_printf("%s\n", text);
	wk_out_flush();
}

/* --- history -------------------------------------------------------------- */

/* None where there is no home. */
static void
history_begin(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char dir[400], *slash;
	int n;

	here.history[0] = '\0';
	using_history();
	stifle_history(HISTORY_MAX);
	if (state != NULL && state[0] == '/')
		n = snprintf(dir, sizeof(dir), "%s/wirekit", state);
	else if (home != NULL && home[0] == '/')
		n = snprintf(dir, sizeof(dir), "%s/.local/state/wirekit", home);
	else
		return;
	if (n < 0 || (size_t)n >= sizeof(dir))
		return;
	/* With all above it: a new account has none of them. */
	for (slash = dir + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		mkdir(dir, 0700);
		*slash = '/';
	}
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return;
	snprintf(here.history, sizeof(here.history), "%s/%s-history", dir,
	    wk_cli.name);
	read_history(here.history);
}

static void
history_end(void)
{
	if (here.history[0] != '\0')
		write_history(here.history);
}

/* --- lines ---------------------------------------------------------------- */

static void
on_line(char *line)
{
	const char *text;

	if (line == NULL) {
		here.prompt->line(NULL);
		return;
	}
	text = line + strspn(line, " \t");
	if (*text != '\0') {
		add_history(line);
		here.prompt->line(text);
	}
	free(line);
}

static void
on_key(struct wk_io *io, unsigned events)
{
	(void)io;
	(void)events;
	rl_callback_read_char();
}

static char **
complete(const char *text, int start, int end)
{
	const char *command = here.prompt->completed_command;
	size_t len = command != NULL ? strlen(command) : 0;

	(void)end;
	rl_attempted_completion_over = 1;	/* no file names */
	return start == 0 || (len > 0 && strncmp(rl_line_buffer, command,
	    len) == 0 && rl_line_buffer[len] == ' ') ?
	    rl_completion_matches(text, here.prompt->word) : NULL;
}

void
wk_prompt_begin(struct wk_loop *loop, const struct wk_prompt *prompt)
{
	here.prompt = prompt;
	rl_readline_name = wk_cli.name;
	rl_attempted_completion_function = complete;
	rl_catch_signals = 0;	/* the loop hears them */
	history_begin();
	rl_callback_handler_install(prompt->text, on_line);
	wk_io_init(&here.keys, loop, STDIN_FILENO, on_key, NULL);
	wk_io_watch(&here.keys, WK_IO_READ);
}

void
wk_prompt_end(void)
{
	if (here.prompt == NULL)
		return;
	here.prompt = NULL;
	wk_io_watch(&here.keys, 0);
	rl_clear_visible_line();
	rl_callback_handler_remove();
	history_end();
}
