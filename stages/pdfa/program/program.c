#include "stages/pdfa/program/program.h"
