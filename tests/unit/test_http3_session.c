/* SPDX-License-Identifier: MIT */
/* What all versions have in common, over HTTP/3. */
#include "config.h"

#include "tests/unit/session_cases.h"

#include "common/net/http3_session.h"

int
main(void)
{
	link_version = WK_HTTP_3;
	link_new_over = wk_http3_session_new;
	return session_cases_run("http3_session");
}
