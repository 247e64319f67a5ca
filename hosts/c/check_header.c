// Compiles where ort.h agrees with the header of onnxruntime. Run by `make check-header`.

#include <onnxruntime_c_api.h>

#include "ort.h"

#define SAME(name) \
  _Static_assert(offsetof(Ort, name) == offsetof(OrtApi, name), #name " is at another place")

SAME(GetErrorMessage);
SAME(CreateEnv);
SAME(CreateSessionFromArray);
SAME(Run);
SAME(CreateSessionOptions);
SAME(SetSessionLogSeverityLevel);
SAME(SetSessionGraphOptimizationLevel);
SAME(SetIntraOpNumThreads);
SAME(CreateTensorWithDataAsOrtValue);
SAME(GetTensorMutableData);
SAME(GetTensorElementType);
SAME(GetDimensionsCount);
SAME(GetDimensions);
SAME(GetTensorTypeAndShape);
SAME(CreateCpuMemoryInfo);
SAME(ReleaseValue);
SAME(ReleaseTensorTypeAndShapeInfo);
SAME(ReleaseSessionOptions);
SAME(AddSessionConfigEntry);

_Static_assert((int)ORT_FLOAT == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, "float");
_Static_assert((int)ORT_INT32 == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, "int32");
_Static_assert((int)ORT_INT64 == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, "int64");
_Static_assert((int)ORT_BOOL == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, "bool");
_Static_assert(offsetof(OrtBase, GetApi) == offsetof(OrtApiBase, GetApi), "GetApi");
