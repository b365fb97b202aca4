/* SPDX-License-Identifier: MIT */
/* Exit codes, the same in every tool; wirekit(7) explains them to users. */
#pragma once

enum wk_exit {
	WK_EXIT_OK = 0,		/* done; the answer is yes */
	WK_EXIT_NO = 1,		/* done; the answer is no */
	WK_EXIT_USAGE = 2,	/* command line or configuration; nothing tried */
	WK_EXIT_NETWORK = 3,	/* name, connect, TLS, timeout, connection lost */
	WK_EXIT_SYSTEM = 4,	/* file, permission, memory, unwritable stdout */
	WK_EXIT_PROTOCOL = 5,	/* the peer or the input breaks its format */
	WK_EXIT_REFUSED = 6,	/* the peer understood and said no */
};
