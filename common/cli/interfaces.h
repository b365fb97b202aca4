/* SPDX-License-Identifier: MIT */
/* --list-interfaces: what -i takes, as libpcap sees this machine. */
#pragma once

/* Text or NDJSON on stdout, one interface per line; an exit code. */
int wk_interfaces_write(void);
