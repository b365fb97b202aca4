/* SPDX-License-Identifier: MIT */
/* h3dgram: netcat for HTTP Datagrams (RFC 9297). */
#include "config.h"

#include "cmd/h3dgram/blast.h"
#include "cmd/h3dgram/forward.h"
#include "cmd/h3dgram/interactive.h"
#include "cmd/h3dgram/options.h"
#include "cmd/h3dgram/ping.h"
#include "cmd/h3dgram/serve.h"
#include "cmd/h3dgram/talk.h"
#include "common/cli/diag.h"
#include "common/cli/out.h"

/* What each mode does; an exit code. */
static int (*const modes[])(const struct options *) = {
	[MODE_TALK] = talk,
	[MODE_FORWARD] = forward,
	[MODE_PING] = ping,
	[MODE_BLAST] = blast,
	[MODE_INTERACTIVE] = interactive,
	[MODE_LISTEN] = serve,
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
