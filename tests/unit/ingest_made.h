/* A backlog made in a scratch folder, and the records that ingest makes of it. */
#ifndef ARKSEAL_TESTS_INGEST_MADE_H
#define ARKSEAL_TESTS_INGEST_MADE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline/stage.h"

#define HEADER                                                                                                                                                                  \
	"Mã hồ sơ;Tiêu đề hồ sơ;Thời hạn bảo quản;Chế độ sử dụng hồ sơ;Ngôn ngữ hồ sơ;Thời gian bắt đầu;Thời gian kết thúc;"   \
	"Tổng số văn bản;Số lượng tờ;Số lượng trang;Dự phòng;Số thứ tự;Đường dẫn;Loại tài liệu;Tên loại văn bản;Ngày văn bản;" \
	"Cơ quan ban hành;Trích yếu;Ngôn ngữ;Số trang;Chế độ sử dụng;Độ mật;Mức độ tin cậy;Quy trình xử lý;Tên ảnh;Tên sự "            \
	"kiện;Loại ảnh\n"
/* A row: dossier, title, maintenance, ordinal, path, kind, type, date, mode, secrecy. */
#define ROW(dossier, title, maintenance, ordinal, path, kind, type, date, mode, secrecy)                                         \
	dossier ";" title ";" maintenance ";01;01;2020;12/2021;3;3;3;0;" ordinal ";" path ";" kind ";" type ";" date             \
	        ";UBND xã;Về việc thử;01;2;" mode ";" secrecy ";02;;;;\n"
#define GOOD(dossier, ordinal, path) ROW(dossier, "Hồ sơ", "Vĩnh viễn", ordinal, path, "", "2", "9/3/2024", "1", "")

#define MADE_RECORDS 64

extern char folder[]; /* the backlog, between set_up and tear_down */
extern struct item *got[MADE_RECORDS];
extern size_t n_got;
extern const char *settle; /* what --set would be given for the settle time */
extern int64_t (*clock_used)(void);
extern struct shard shard_used;
/* The sink that keeps them. */
enum status take(void *sink, struct item *it, struct err *e);

int64_t fixed_clock(void);
int set_up(void **state);
int tear_down(void **state);
void put(const char *name, const void *p, size_t n);
void put_text(const char *name, const char *text);
/* Changed so many seconds ago. */
void put_aged(const char *name, const char *text, long age_s);
/* Ingests it, by a profile. */
void run(const char *profile);
void forget(void);
struct item *find(const char *id);
/* Fails unless the record is so. code NULL: any. */
struct item *expect(const char *id, enum item_state want, const char *code);

#endif
