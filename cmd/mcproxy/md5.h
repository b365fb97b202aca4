/* SPDX-License-Identifier: MIT */
/*
 * MD5 (RFC 1321), for key placement only: ketama and its relatives put their
 * points there. It protects nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

void md5(const void *data, size_t len, uint8_t digest[16]);
