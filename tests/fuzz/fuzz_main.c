/* Replay a corpus folder (or single files) with any compiler. */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t input[1 << 20];

static int
replay_file(const char *path)
{
	FILE *f = fopen(path, "rbe");
	size_t n;

	if (f == NULL) {
		perror(path);
		return -1;
	}
	n = fread(input, 1, sizeof(input), f);
	(void)fclose(f);
	(void)LLVMFuzzerTestOneInput(input, n);
	return 0;
}

static int
replay_folder(const char *folder, unsigned *count)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int result = 0;

	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL) {
		char path[PATH_MAX];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(
		    path, sizeof(path), "%s/%s", folder, entry->d_name);
		result |= replay_file(path);
		(*count)++;
	}
	(void)closedir(dir);
	return result;
}

int
main(int argc, char **argv)
{
	unsigned count = 0;
	int result = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st) < 0) {
			perror(argv[i]);
			return EXIT_FAILURE;
		}
		if (S_ISDIR(st.st_mode)) {
			result |= replay_folder(argv[i], &count);
		} else {
			result |= replay_file(argv[i]);
			count++;
		}
	}
	printf("replayed %u inputs\n", count);
	return result < 0 || count == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
