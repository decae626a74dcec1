/*
 * The engine's own sentences, in Vietnamese where LC_ALL, LC_MESSAGES or LANG begins with "vi", else in English.
 */
#ifndef ARKSEAL_PIPELINE_SAY_H
#define ARKSEAL_PIPELINE_SAY_H

#include <stdbool.h>

/* One row a sentence: name, Vietnamese, English. They are formats of printf; both of a row take the same values. */
#define SAY_TABLE(X)                                                                                                             \
	X(NOTHING, "", "")                                                                                                       \
	X(USAGE, "Cách dùng: arkseal %s %s", "Usage: arkseal %s %s")                                                             \
	X(COMMANDS, "Các lệnh:", "Commands:")                                                                                    \
	X(FILTERS, "Các công đoạn (bộ lọc, bản ghi vào và ra theo dòng):", "Stages (filters, records in and out by lines):")     \
	X(COMMAND_UNKNOWN, "Không có lệnh “%s”. Xem: arkseal --help", "There is no command \"%s\". See: arkseal --help")         \
	X(OPTION_UNKNOWN, "Không có tuỳ chọn %s", "There is no option %s")                                                       \
	X(OPTION_VALUE, "Tuỳ chọn %s cần một giá trị", "Option %s needs a value")                                                \
	X(OPTION_NO_VALUE, "Tuỳ chọn %s không nhận giá trị", "Option %s takes no value")                                         \
	X(OPTION_WRONG, "Giá trị của tuỳ chọn %s không hợp lệ", "The value of option %s is wrong")                               \
	X(NEEDS, "Thiếu %s", "%s is missing")                                                                                    \
	X(TODO, "Cách xử lý: %s", "What to do: %s")                                                                              \
	X(PROGRESS, "%s/%s tài liệu, %s trang, %s, còn %s, cách ly %s",                                                          \
	  "%s/%s documents, %s pages, %s, left %s, quarantined %s")                                                              \
	X(RATE, "%.1f trang/giây", "%.1f pages/s")                                                                               \
	X(QUEUES, "Đang chờ: %s", "Waiting: %s")                                                                                 \
	X(PAGES, "%s trang", "%s pages")                                                                                         \
	X(RESUMED, "%s chạy tiếp", "%s goes on")                                                                                 \
	X(METRICS, "Không ghi được tệp số liệu (--metrics): %s", "The metrics (--metrics) cannot be written: %s")                \
	X(STATUS, "%s/%s tài liệu, cách ly %s", "%s/%s documents, quarantined %s")                                               \
	X(PAUSED, "%s tạm dừng: %s", "%s waits: %s")                                                                             \
	X(WORKER_DIED, "Một tiến trình của công đoạn %s đã dừng: %s", "A worker of %s has ended: %s")                            \
	X(SET_ASIDE, "Cách ly: %s: %s", "Quarantined: %s: %s")                                                                   \
	X(REFUSED, "Từ chối: %s: %s", "Refused: %s: %s")                                                                         \
	X(STOPPING, "Đang dừng…", "Stopping…")                                                                                   \
	X(STOPPED, "Đã dừng; chạy lại đúng lệnh này để tiếp tục.", "Stopped; the same command goes on from here.")               \
	X(DONE_DOCUMENTS, "Hoàn thành: %s tài liệu", "Done: %s documents")                                                       \
	X(DONE_PACKAGES, "Hoàn thành: %s gói hồ sơ, %s tài liệu", "Done: %s packages, %s documents")                             \
	X(WHERE, "Kết quả nằm tại: %s", "The results are in: %s")                                                                \
	X(NOTICES, "Chưa đạt: %s cách ly, %s từ chối; giải thích nằm tại: %s",                                                   \
	  "Not done: %s quarantined, %s refused; explanations are in: %s")                                                       \
	X(MORE, "  … và %s tài liệu khác", "  … and %s more")                                                                    \
	X(WAITING, "Hồ sơ còn chờ: %s: có %s/%s tài liệu sẵn sàng", "Dossier waits: %s: %s of %s documents are ready")           \
	X(OPEN, "Đang xử lý: %s tài liệu", "Under way: %s documents")                                                            \
	X(REMARK, "Lưu ý: %s: %s", "Note: %s: %s")                                                                               \
	X(SHEET_WAITS, "Bảng kê còn đang được ghi: %s; cả phông để lại cho lần chạy sau",                                        \
	  "The spreadsheet is still being written: %s; its fonds is left for the next run")                                      \
	X(UNSETTLED, "%s tài liệu còn đang được ghi: để lại cho lần chạy sau",                                                   \
	  "%s documents are still being written: left for the next run")                                                         \
	X(WITHDRAWN, "Không còn trong thư mục nguồn, thông báo được rút lại: %s",                                                \
	  "No longer in the backlog, its notice is withdrawn: %s")                                                               \
	X(SANDBOX, "Cảnh báo: nhân hệ điều hành không có %s; tiến trình con chạy với ít giới hạn hơn.",                          \
	  "Warning: the kernel lacks %s; workers run with fewer restrictions.")                                                  \
	X(RETRIED, "Đưa trở lại xử lý: %s tài liệu hoặc gói", "Put back: %s documents or packages")                              \
	X(DOSSIER_CUT, "Hồ sơ %s chưa đủ tài liệu, được chuyển tiếp nguyên trạng",                                               \
	  "Dossier %s is not complete; its documents are passed on as they are")                                                 \
	X(STATE_OK, "đang xử lý", "under way")                                                                                   \
	X(STATE_DONE, "hoàn thành", "done")                                                                                      \
	X(STATE_QUARANTINE, "cách ly", "quarantined")                                                                            \
	X(STATE_REFUSED, "từ chối", "refused")                                                                                   \
	X(REPORT, "Báo cáo của kho", "Report of the archive")                                                                    \
	X(TOTALS, "Tổng số", "Totals")                                                                                           \
	X(BY_FONDS, "Theo phông và tháng", "By fonds and month")                                                                 \
	X(NOT_DONE, "Chưa đạt", "Not done")                                                                                      \
	X(STATE, "Trạng thái", "State")                                                                                          \
	X(DOCUMENTS, "Tài liệu", "Documents")                                                                                    \
	X(DOCUMENT, "Tài liệu", "Document")                                                                                      \
	X(PACKAGES, "Gói hồ sơ", "Packages")                                                                                     \
	X(FONDS, "Phông", "Fonds")                                                                                               \
	X(MONTH, "Tháng", "Month")                                                                                               \
	X(KIND, "Loại", "Kind")                                                                                                  \
	X(STAGE, "Công đoạn tiếp theo", "Stage to come")                                                                         \
	X(NUMBER_OF, "Số lượng", "Number")                                                                                       \
	X(PAGES_OF, "Số trang", "Pages")                                                                                         \
	X(CODE, "Mã", "Code")                                                                                                    \
	X(PROBLEM, "Vấn đề", "Problem")                                                                                          \
	X(REMEDY, "Cách xử lý", "What to do")                                                                                    \
	X(REMARKS, "Ghi chú", "Remarks")                                                                                         \
	X(RETRY_UNKNOWN, "Không có tài liệu cách ly nào có mã “%s”", "No quarantined document is called \"%s\"")                 \
	X(RUNNING, "Đang chạy: %s", "Running: %s")

#define SAY_NAME(name, vi, en) SAY_##name,
enum say_text { SAY_TABLE(SAY_NAME) SAY_COUNT };
#undef SAY_NAME

const char *say(enum say_text text);
/* Whether sentences are English. */
bool say_english(void);

#define SAY_NUMBER 32
/* A count with its thousands parted as the language does: "7.700", "7,700". */
const char *say_number(long long number, char ret_text[SAY_NUMBER]);

#endif
