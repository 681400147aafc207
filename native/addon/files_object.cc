#include "addon/files_object.h"

#include <sys/stat.h>

#include <cerrno>

#include "addon/convert.h"
#include "host/host_files.h"

namespace vipd {
namespace {

std::optional<Owner> OwnerFrom(const Napi::Value& value) {
  if (!value.IsObject()) return std::nullopt;
  const auto given = value.As<Napi::Object>();
  return Owner{given.Get("uid").As<Napi::Number>().Uint32Value(),
               given.Get("gid").As<Napi::Number>().Uint32Value()};
}

// makeFifo(path, { uid, gid } | null): { fd, replaced }. Throws as `Failed` says.
Napi::Value MakeFifoFor(const Napi::CallbackInfo& info) {
  OpenedFifo opened = MakeFifo(info[0].As<Napi::String>().Utf8Value(), OwnerFrom(info[1]));
  if (opened.error != 0) throw Failed(info.Env(), "mkfifo", opened.error, opened.detail);
  Napi::Object out = Napi::Object::New(info.Env());
  out.Set("fd", Napi::Number::New(info.Env(), opened.fd.Release()));
  out.Set("replaced", Napi::Boolean::New(info.Env(), opened.replaced));
  return out;
}

// useFifo(path, { uid, gid } | null): a descriptor, or the negative errno.
Napi::Value UseFifoFor(const Napi::CallbackInfo& info) {
  OpenedFifo opened = UseFifo(info[0].As<Napi::String>().Utf8Value(), OwnerFrom(info[1]));
  return Napi::Number::New(info.Env(), opened.error == 0 ? opened.fd.Release() : -opened.error);
}

void RemoveFifoOf(const Napi::CallbackInfo& info) {
  RemoveFifo(info[0].As<Napi::String>().Utf8Value(), info[1].As<Napi::Number>().Int32Value());
}

// makePipe(path, mode): 0 or the errno. For a directory that is the caller's alone.
Napi::Value MakePipe(const Napi::CallbackInfo& info) {
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  const mode_t mode = info[1].As<Napi::Number>().Uint32Value();
  // The mask of this process takes rights away.
  const bool made = mkfifo(path.c_str(), mode) == 0 && chmod(path.c_str(), mode) == 0;
  return Napi::Number::New(info.Env(), made ? 0 : errno);
}

// writeFile(path, text, overwrite): 0 or the errno.
Napi::Value WriteFileOf(const Napi::CallbackInfo& info) {
  const int error =
      WriteFile(info[0].As<Napi::String>().Utf8Value(), info[1].As<Napi::String>().Utf8Value(),
                info[2].As<Napi::Boolean>().Value());
  return Napi::Number::New(info.Env(), error);
}

}  // namespace

void DefineFiles(Napi::Env env, Napi::Object exports) {
  exports.Set("makeFifo", Napi::Function::New(env, MakeFifoFor));
  exports.Set("useFifo", Napi::Function::New(env, UseFifoFor));
  exports.Set("removeFifo", Napi::Function::New(env, RemoveFifoOf));
  exports.Set("makePipe", Napi::Function::New(env, MakePipe));
  exports.Set("writeFile", Napi::Function::New(env, WriteFileOf));
}

}  // namespace vipd
