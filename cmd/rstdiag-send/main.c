/* SPDX-License-Identifier: MIT */
/* rstdiag-send: TCP resets that say why: crafted, in answer, or to end one. */
#include "config.h"

#include <errno.h>

#include "cmd/rstdiag-send/answer.h"
#include "cmd/rstdiag-send/craft.h"
#include "cmd/rstdiag-send/options.h"
#include "cmd/rstdiag-send/reset.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/interfaces.h"
#include "common/cli/out.h"
#include "common/cli/rstline.h"
#include "common/cli/signals.h"

static int
run(const struct options *o)
{
	if (o->output != NULL && wk_out_open(o->output) != WK_OK) {
		wk_warn_errno(errno, "%s", o->output);
		return WK_EXIT_SYSTEM;
	}
	switch (o->mode) {
	case MODE_CRAFT:
		return craft(o);
	case MODE_ANSWER:
		return answer(o);
	case MODE_RESET:
		return reset(o);
	case MODE_LIST_CODES:
		wk_rst_write_codes((enum wk_rstdiag_registry)o->registry);
		return WK_EXIT_OK;
	case MODE_LIST_INTERFACES:
		return wk_interfaces_write();
	}
	return WK_EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	struct options o;
	int rc;

	wk_cli_init(argv[0]);
	if (!options_parse(&o, argc, argv, &rc))
		return wk_out_finish(rc);
	rc = run(&o);
	options_free(&o);
	if (rc != EXIT_INTERRUPTED)
		return wk_out_finish(rc);
	rc = wk_out_finish(WK_EXIT_OK);
	wk_signals_die();
	return rc;
}
