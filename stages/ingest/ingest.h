/*
 * The stage "ingest": from a backlog on disk to item records.
 *
 * Layout dossiers: BACKLOG/<fonds>/<box>/<file>/<document>, each fonds with a spreadsheet that has one row a document. A document
 * is a folder of pages or one file. A row finds its document by the path column (below the fonds, with or without extension), else
 * by the name <dossier code>.<ordinal>. Documents come dossier by dossier. What must not be processed (secret) is refused before any
 * byte of it is read; what is wrong (no row, wrong codes, no file …) becomes a record in quarantine, so that nothing is left out
 * silently. Memory holds one fonds at a time, and 16 bytes for each document so far.
 *
 * Layout plain: any tree. A PDF or a multi-page TIFF is a document, and so are all other pictures of a folder together.
 *
 * Files: ingest.c the stage and what both layouts share, tree.c folders and pages, settle.c what is still being written, table.c spreadsheets: header and rows,
 * check.c what a cell may say, dossiers.c and plain.c the layouts.
 */
#ifndef ARKSEAL_INGEST_INGEST_H
#define ARKSEAL_INGEST_INGEST_H

#include "pipeline/stage.h"

extern const struct stage ingest_stage;

#endif
