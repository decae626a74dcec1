/* What is told of sound and video, and what of files that are none, or not whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/base/file.h"
#include "stages/media/media.h"

static void files_are_told(void **state)
{
	(void)state;
	/* kbps within a tenth: encoders and headers round. */
	static const struct {
		const char *file, *name, *format, *codec;
		bool video;
		unsigned kbps;
		double seconds;
	} rows[] = {
	    {"ghi-am.mp3", "mp3", "fmt/134", "MPEG Audio", false, 128, 1.04},
	    {"thap.mp3", "mp3", "fmt/134", "MPEG Audio", false, 64, 1.04},
	    {"ghi-am.wma", "wma", "fmt/132", "WMA", false, 128, 1.0},
	    {"video.mp4", "mp4", "fmt/199", "MPEG-4 Visual", true, 1958, 0.4},
	    {"thap.mp4", "mp4", "fmt/199", "MPEG-4 Visual", true, 120, 0.4},
	    {"video.avi", "avi", "fmt/5", "JPEG", true, 2076, 0.4},
	    {"video.wmv", "wmv", "fmt/133", "WMV2", true, 1742, 0.4},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct file_map m;
		struct media got;
		struct err e;
		char *path = path_join("fixtures/media", rows[i].file);
		assert_int_equal(file_map_open(path, &m, &e), ST_OK);
		assert_int_equal(media_read(m.in, &got, &e), ST_OK);
		assert_string_equal(got.name, rows[i].name);
		assert_string_equal(got.extension + 1, rows[i].name);
		assert_string_equal(got.format, rows[i].format);
		assert_string_equal(got.codec, rows[i].codec);
		assert_int_equal(got.video, rows[i].video);
		assert_in_range(got.kbps, rows[i].kbps * 9 / 10, rows[i].kbps * 11 / 10);
		assert_in_range((int)(got.seconds * 100), (int)(rows[i].seconds * 90), (int)(rows[i].seconds * 110));
		file_map_close(&m);
		free(path);
	}
}

static void what_is_not_whole_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		size_t from, n; /* a part of the file */
		const char *code;
	} rows[] = {
	    {"media/ghi-am.mp3", 0, 7000, "media-cut-off"}, {"media/ghi-am.wma", 0, 5000, "media-cut-off"},
	    {"media/video.mp4", 0, 20000, "media-cut-off"}, {"media/video.avi", 0, 20000, "media-cut-off"},
	    {"media/video.wmv", 0, 30000, "media-cut-off"}, {"media/video.avi", 0, 12, "media-cut-off"},
	    {"media/video.mp4", 0, 8, "media-unknown"},     {"media/video.mp4", 8, 4000, "media-unknown"},
	    {"media/ghi-am.wma", 0, 16, "media-unknown"},   {"formats/rgb.heic", 0, 4000, "media-unknown"},
	    {"formats/rgb.bmp", 0, 4000, "media-unknown"},  {"media/video.mp4", 0, 0, "media-unknown"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct file_map m;
		struct media got;
		struct err e = {0};
		char *path = path_join("fixtures", rows[i].file);
		assert_int_equal(file_map_open(path, &m, &e), ST_OK);
		size_t left = m.in.n - rows[i].from, n = rows[i].n < left ? rows[i].n : left;
		uint8_t *part = malloc(n + 1); /* so that a byte read too many is seen */
		memcpy(part, m.in.p + rows[i].from, n);
		assert_int_equal(media_read((struct bytes){part, n}, &got, &e), ST_ITEM);
		assert_string_equal(e.code, rows[i].code);
		free(part);
		file_map_close(&m);
		free(path);
	}
}

int main(void)
{
	media_load();
	const struct CMUnitTest tests[] = {cmocka_unit_test(files_are_told), cmocka_unit_test(what_is_not_whole_is_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
