/** What was painted small, at the size of what came: with the detail in light that shrinking took.
 *
 * `restore` of streamer/postprocess.py, on the graphics processor: both small pictures by cubic interpolation, and to
 * the painted one is added what the original has and its small form has not.
 */

const CORNERS = `#version 300 es
void main() { // one triangle that covers the canvas
  gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}`;

const PIXELS = `#version 300 es
precision highp float;
uniform sampler2D original, before, after;
uniform bool keepColours;
out vec4 colour;
const vec3 LIGHT = vec3(0.299, 0.587, 0.114);
const float A = -0.75; // of the cubic kernel: OpenCV's

vec4 weights(float t) { // of the four pixels around a place that is t beyond the second
  vec4 d = vec4(1.0 + t, t, 1.0 - t, 2.0 - t);
  vec4 inner = ((A + 2.0) * d - (A + 3.0)) * d * d + 1.0;
  vec4 outer = ((A * d - 5.0 * A) * d + 8.0 * A) * d - 4.0 * A;
  return vec4(outer.x, inner.yz, outer.w);
}

vec3 cubic(sampler2D small, vec2 place) {
  ivec2 last = textureSize(small, 0) - 1;
  vec2 at = place * vec2(last + 1) - 0.5;
  ivec2 first = ivec2(floor(at)) - 1;
  vec4 across = weights(fract(at.x)), down = weights(fract(at.y));
  vec3 sum = vec3(0.0);
  for (int y = 0; y < 4; y++)
    for (int x = 0; x < 4; x++)
      sum += across[x] * down[y] * texelFetch(small, clamp(first + ivec2(x, y), ivec2(0), last), 0).rgb;
  return sum;
}

void main() {
  ivec2 size = textureSize(original, 0);
  ivec2 pixel = ivec2(int(gl_FragCoord.x), size.y - 1 - int(gl_FragCoord.y)); // pictures begin at the top
  vec2 place = (vec2(pixel) + 0.5) / vec2(size);
  vec3 whole = texelFetch(original, pixel, 0).rgb;
  vec3 coarse = cubic(before, place), painted = cubic(after, place);
  colour = vec4(keepColours
    ? whole + dot(painted - coarse, LIGHT)
    : painted + dot(whole - coarse, LIGHT), 1.0);
}`;

const IMITATIONS = /swiftshader|llvmpipe|softpipe|basic render/i; // that run on the processor
const TEXTURES = ["original", "before", "after"];

/** Owns a canvas that shows the newest enlarged picture. */
export class Enlarger {
  /**
   * @param {{imitated?: boolean}} [allow] imitated: also where WebGL runs on the processor, which is slower than the network
   * @returns {Enlarger | null} null where there is no WebGL 2 that is worth it
   */
  static make({ imitated = false } = {}) {
    const canvas = document.createElement("canvas");
    const wish = { alpha: false, antialias: false, depth: false, failIfMajorPerformanceCaveat: !imitated };
    const gl = canvas.getContext("webgl2", wish);
    if (!gl) return null;
    const told = gl.getExtension("WEBGL_debug_renderer_info"); // not every browser says that it imitates one
    const isImitated = told && IMITATIONS.test(gl.getParameter(told.UNMASKED_RENDERER_WEBGL));
    return isImitated && !imitated ? null : new Enlarger(canvas, gl);
  }

  /** @param {HTMLCanvasElement} canvas @param {WebGL2RenderingContext} gl */
  constructor(canvas, gl) {
    Object.assign(this, { canvas, gl });
    canvas.addEventListener("webglcontextlost", () => { this.lost = true; });
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, CORNERS], [gl.FRAGMENT_SHADER, PIXELS]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    this.keep = gl.getUniformLocation(program, "keepColours");
    TEXTURES.forEach((name, unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST); // or WebGL would wait for smaller copies
      gl.uniform1i(gl.getUniformLocation(program, name), unit);
    });
  }

  /**
   * Draw on `canvas`.
   * @param {ImageBitmap} original
   * @param {{width: number, height: number, before: Uint8ClampedArray, after: Uint8ClampedArray}} small RGBA
   * @param {boolean} keepColours whether the painted one has the original's
   */
  draw(original, { width, height, before, after }, keepColours) {
    const { gl, canvas } = this;
    if (canvas.width !== original.width || canvas.height !== original.height) {
      Object.assign(canvas, { width: original.width, height: original.height });
      gl.viewport(0, 0, canvas.width, canvas.height);
    }
    gl.activeTexture(gl.TEXTURE0);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, original);
    [before, after].forEach((pixels, i) => {
      gl.activeTexture(gl.TEXTURE1 + i);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    });
    gl.uniform1i(this.keep, Number(keepColours));
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** Browsers grant few of these at a time. */
  close() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}
