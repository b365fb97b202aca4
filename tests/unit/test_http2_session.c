/* SPDX-License-Identifier: MIT */
/* What all versions have in common, over HTTP/2. */
#include "config.h"

#include "tests/unit/session_cases.h"

#include "common/net/http2_session.h"

int
main(void)
{
	link_version = WK_HTTP_2;
	link_new_session = wk_http2_session_new;
	return session_cases_run("http2_session");
}
