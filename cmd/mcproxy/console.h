/* SPDX-License-Identifier: MIT */
/*
 * "mcproxy console": type commands to a running proxy, with history and keys
 * completed by the pools there are; or give them as lines of a file.
 */
#pragma once

/* An exit code; with commands from a file the first that was refused counts. */
int console_run(const char *address);
