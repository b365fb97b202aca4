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

if BUILD_RSTDIAG
libwirekit_a_SOURCES += \
	common/wire/rstdiag.c common/wire/rstdiag.h \
	common/wire/rstdiag_cbor.c \
	common/wire/rstdiag_codes.c \
	common/wire/rstdiag_encode.c \
	common/wire/rstdiag_item.c common/wire/rstdiag_item.h \
	common/wire/rstdiag_json.c \
	common/wire/rstdiag_parts.h
endif
libwirekit_a_CFLAGS += $(CBOR_CFLAGS) $(JANSSON_CFLAGS) $(PCAP_CFLAGS)
