/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target over files, for builds without libFuzzer. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		FILE *fp = fopen(argv[i], "rb");
		uint8_t *data = NULL, *exact;
		size_t len = 0, n;
		uint8_t chunk[4096];

		if (fp == NULL) {
			perror(argv[i]);
			return 1;
		}
		while ((n = fread(chunk, 1, sizeof(chunk), fp)) > 0) {
			data = realloc(data, len + n);
			if (data == NULL)
				return 1;
			for (size_t k = 0; k < n; k++)
				data[len + k] = chunk[k];
			len += n;
		}
		fclose(fp);
		/* An allocation of just this size lets valgrind see overreads. */
		exact = realloc(data, len == 0 ? 1 : len);
		if (exact == NULL)
			return 1;
		LLVMFuzzerTestOneInput(exact, len);
		free(exact);
	}
	printf("%d inputs\n", argc - 1);
	return 0;
}
