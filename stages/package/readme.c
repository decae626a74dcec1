/* The text that lies in documentation/: the package must explain itself without this program. */
#include "stages/package/write.h"

static const char vietnamese[] =
    "Gói thông tin lưu trữ (AIP_hoso) theo Thông tư 05/2025/TT-BNV, mở rộng từ E-ARK CSIP 2.0.4.\n"
    "\n"
    "METS.xml                     mục lục của gói: kích thước và SHA-256 của từng tệp\n"
    "metadata/descriptive/        mô tả hồ sơ (EAD.xml)\n"
    "metadata/preservation/       những việc đã làm với gói (PREMIS 3.0)\n"
    "representations/rep1/data/   tài liệu, dạng PDF/A; chữ ký số và dấu thời gian nằm trong từng tệp\n"
    "representations/rep1/metadata/  mô tả từng tài liệu và những việc đã làm với tài liệu\n"
    "schemas/                     lược đồ XML của các tệp trên\n"
    "\n"
    "Cách kiểm tra: tính SHA-256 của từng tệp và so với METS.xml ở cùng cấp; kiểm tra chữ ký trong từng PDF (PAdES, ETSI EN 319 "
    "142-1);\n"
    "nếu bên cạnh thư mục của gói có tệp <tên thư mục>.METS.p7s thì đó là chữ ký tách rời (CAdES, ETSI EN 319 122-1) trên "
    "METS.xml.\n";

static const char english[] =
    "Archival information package of a dossier (AIP_hoso, Circular 05/2025/TT-BNV, Vietnam), which extends E-ARK CSIP 2.0.4.\n"
    "\n"
    "METS.xml                     the package's inventory: size and SHA-256 of every file\n"
    "metadata/descriptive/        description of the dossier (EAD.xml)\n"
    "metadata/preservation/       what was done to the package (PREMIS 3.0)\n"
    "representations/rep1/data/   the documents as PDF/A; digital signatures and time-stamps are inside each file\n"
    "representations/rep1/metadata/  description of each document and what was done to it\n"
    "schemas/                     XML schemas of these files\n"
    "\n"
    "To check it: compute the SHA-256 of every file and compare with the METS.xml of its level; validate the signatures in each "
    "PDF (PAdES,\n"
    "ETSI EN 319 142-1); a file <folder>.METS.p7s beside the package's folder is a detached signature (CAdES, ETSI EN 319 122-1) "
    "over METS.xml.\n";

enum status readme_write(const struct package *p, struct buf *ret_text, struct err *e)
{
	buf_format(ret_text, "%s\n%s\n\n%s\n%s\n\n", p->objid, p->label, vietnamese, english);
	buf_format(ret_text, "arkseal %s\n", p->version);
	return ret_text->failed ? err_set(e, ST_RETRY, "memory", "no memory for a text") : ST_OK;
}
