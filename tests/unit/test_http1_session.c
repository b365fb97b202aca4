/* SPDX-License-Identifier: MIT */
/* What all versions have in common, over HTTP/1.1. */
#include "config.h"

#include "tests/unit/session_cases.h"

#include "common/net/http1_session.h"

int
main(void)
{
	link_version = WK_HTTP_1_1;
	link_new_session = wk_http1_session_new;
	return session_cases_run("http1_session");
}
