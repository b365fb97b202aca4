/* SPDX-License-Identifier: MIT */
/* capsule-cat: cat for the Capsule Protocol (RFC 9297). */
#include "config.h"

#include "cmd/capsule-cat/decode.h"
#include "cmd/capsule-cat/encode.h"
#include "cmd/capsule-cat/interactive.h"
#include "cmd/capsule-cat/list.h"
#include "cmd/capsule-cat/listen.h"
#include "cmd/capsule-cat/options.h"
#include "cmd/capsule-cat/tunnel.h"
#include "common/cli/diag.h"
#include "common/cli/out.h"

/* What each mode does; an exit code. */
static int (*const modes[])(const struct options *) = {
	[MODE_DECODE] = decode,
	[MODE_ENCODE] = encode,
	[MODE_LIST_TYPES] = list_types,
	[MODE_TUNNEL] = tunnel,
	[MODE_LISTEN] = serve,
	[MODE_INTERACTIVE] = interactive,
};

int
main(int argc, char **argv)
{
	struct options opt;
	int rc;

	wk_cli_init(argv[0]);
	if (options_parse(&opt, argc, argv, &rc))
		rc = modes[opt.mode](&opt);
	return wk_out_finish(rc);
}
