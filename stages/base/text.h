/* Numbers, times and UTF-8 from and to text, independent of the locale. */
#ifndef ARKSEAL_BASE_TEXT_H
#define ARKSEAL_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A decimal number that takes the whole of text and lies in [min, max]; false otherwise. */
bool number_parse(const char *text, int64_t min, int64_t max, int64_t *ret_number);

/* The present moment. Stages take times from their environment (stage_env.now_ms); only processes' edges call this. */
int64_t time_now_ms(void);

#define TIME_TEXT 40
/* Milliseconds since 1970 UTC as ISO 8601 at an offset in minutes: "2026-06-12T11:45:37.690+07:00"; with no milliseconds:
 * "2026-06-12T11:45:37+07:00". An offset of 0 gives "+00:00". */
void time_iso8601(int64_t ms, int offset_min, bool milliseconds, char ret_text[TIME_TEXT]);
/* The reverse; 'Z' or an offset is required, fractions are allowed. */
bool time_parse_iso8601(const char *text, int64_t *ret_ms);
/* PDF date (ISO 32000-1, 7.9.4): "D:20260612114537+07'00'". */
void time_pdf(int64_t ms, int offset_min, char ret_text[TIME_TEXT]);
bool time_parse_pdf(const char *text, size_t n, int64_t *ret_ms);

/* Whether n bytes are well-formed UTF-8 (RFC 3629) without a zero byte. */
bool utf8_valid(const char *text, size_t n);
/* The next code point of well-formed UTF-8; moves *at. 0 at the end. */
uint32_t utf8_next(const char **at);
/* Up to 4 bytes; returns how many. */
size_t utf8_put(uint32_t code_point, char to[4]);
/* Code points in well-formed UTF-8. */
size_t utf8_length(const char *text);
/* NFC (Unicode Annex 15); the caller frees. NULL for ill-formed text or no memory. */
char *utf8_nfc(const char *text);
/* NFD, likewise. */
char *utf8_nfd(const char *text);

#endif
