# SPDX-License-Identifier: MIT
# libwirekit.a, floor by floor. Linked into the tools, never installed.

libwirekit_a_SOURCES += \
	common/base/buf.c common/base/buf.h \
	common/base/clock.c common/base/clock.h \
	common/base/error.c common/base/error.h \
	common/base/span.h \
	common/base/text.c common/base/text.h

libwirekit_a_SOURCES += \
	common/wire/segment.c common/wire/segment.h

libwirekit_a_SOURCES += \
	common/base/base64.c common/base/base64.h \
	common/base/str.h \
	common/wire/chars.c common/wire/chars.h \
	common/wire/http1.c common/wire/http1.h \
	common/wire/http1_chunk.c common/wire/http1_fields.c \
	common/wire/http1_target.c common/wire/http1_write.c \
	common/wire/sfv.c common/wire/sfv_write.c common/wire/sfv.h \
	common/wire/uritemplate.c common/wire/uritemplate.h

if BUILD_RSTDIAG
libwirekit_a_SOURCES += \
	common/wire/rstdiag.c common/wire/rstdiag.h \
	common/wire/rstdiag_codes.c \
	common/net/capture.c common/net/capture.h \
	common/net/privileges.c common/net/privileges.h \
	common/cli/rstline.c common/cli/rstline.h
endif
libwirekit_a_CFLAGS += $(CBOR_CFLAGS) $(JANSSON_CFLAGS) $(PCAP_CFLAGS)

libwirekit_a_SOURCES += \
	common/cli/diag.c common/cli/diag.h \
	common/cli/exit.h \
	common/cli/json.c common/cli/json.h \
	common/cli/options.c common/cli/options.h \
	common/cli/out.c common/cli/out.h \
	common/cli/progress.c common/cli/progress.h \
	common/cli/signals.c common/cli/signals.h
