import { useState } from "react";
import type { Label } from "../api";
import "./picture.css";

interface Props {
  src: string;
  alt: string;
  size: "small" | "large";
  labels?: Label[];
}

/** An image with the boxes of its labels; one that cannot be shown says so. */
export function Picture({ src, alt, size, labels = [] }: Props) {
  const [failed, setFailed] = useState("");
  if (failed === src) {
    return (
      <div className={`picture ${size} missing`} role="img" aria-label={`${alt} cannot be shown`}>
        {size === "large" ? "This file cannot be shown as an image." : "?"}
      </div>
    );
  }
  return (
    <div className={`picture ${size}`}>
      <span className="frame">
        <img
          src={src}
          alt={alt}
          loading={size === "small" ? "lazy" : "eager"}
          onError={() => setFailed(src)}
        />
        {labels.map(
          ({ name, box }, number) =>
            box && (
              <span
                key={`${number} ${name}`}
                className="box"
                style={{
                  left: `${box.left * 100}%`,
                  top: `${box.top * 100}%`,
                  width: `${box.width * 100}%`,
                  height: `${box.height * 100}%`,
                }}
              >
                {size === "large" && <span className="box-name">{name}</span>}
              </span>
            ),
        )}
      </span>
    </div>
  );
}
